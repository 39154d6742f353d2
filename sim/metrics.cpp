#include "sim/metrics.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "scenarios/comma_list.h"
#include "scenarios/listing.h"

namespace anybit {
namespace {

constexpr std::string_view kLineStart = "{\"round\": ";
constexpr std::string_view kAbandoned = R"(, "abandoned": true)";

/// JSON knows no infinity and no NaN: a loss that is one of them is null.
std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

std::string accuracy_json(const Accuracy& accuracy) {
  const GridPoint& point = accuracy.point;
  return fmt::format(R"({{"weights": {}, "activations": {}, "range": {}, "granularity": {}, "value": {}}})",
                     point.weights, point.activations, json_text(point.range), json_text(point.granularity),
                     json_number(accuracy.value));
}

}  // namespace

std::string accuracies_json(const std::vector<Accuracy>& accuracies) {
  std::vector<std::string> objects;
  for (const Accuracy& accuracy : accuracies) objects.push_back(accuracy_json(accuracy));
  return fmt::format("[{}]", comma_list(objects));
}

std::string metrics_line(const RoundRecord& record) {
  const RoundReport& report = record.report;
  std::string line = fmt::format(
      R"({}{}, "seconds": {:.6f}, "bytes_down": {}, "bytes_up": {}, "train_loss": {}, "clients": {}, "failed": {})",
      kLineStart, report.round, record.seconds, record.bytes_down, record.bytes_up, json_number(report.train_loss),
      report.clients, report.failed);
  if (report.abandoned) line += kAbandoned;
  if (!record.accuracy.empty()) {
    line += R"(, "accuracy": )" + accuracies_json(record.accuracy);
  }
  return line + "}";
}

std::uint32_t count_abandoned(const std::string& lines) {
  std::uint32_t count = 0;
  for (std::size_t at = lines.find(kAbandoned); at != std::string::npos; at = lines.find(kAbandoned, at + 1)) ++count;
  return count;
}

std::uint32_t round_of_metrics_line(const std::string& line) {
  if (!line.starts_with(kLineStart) || !line.ends_with('}')) return 0;
  std::uint32_t round = 0;
  std::from_chars(line.data() + kLineStart.size(), line.data() + line.size(), round);
  return round;
}

}  // namespace anybit
