#include "server/record/metrics.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <sstream>

#include "scenarios/comma_list.h"
#include "scenarios/listing.h"

namespace anybit {
namespace {

constexpr std::string_view kLineStart = "{\"round\": ";
constexpr std::string_view kPointStart = "{\"weights\": ";
constexpr std::string_view kAbandoned = R"(, "abandoned": true)";

/// JSON knows no infinity and no NaN: a loss that is one of them is null.
std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

std::string accuracy_json(const Accuracy& accuracy) {
  const GridPoint& point = accuracy.point;
  std::string ends;
  if (point.first != 0) ends += fmt::format(R"(, "first": {})", point.first);
  if (point.last != 0) ends += fmt::format(R"(, "last": {})", point.last);
  return fmt::format(R"({{"weights": {}, "activations": {}, "range": {}, "granularity": {}{}, "value": {}}})",
                     point.weights, point.activations, json_text(point.range), json_text(point.granularity), ends,
                     json_number(accuracy.value));
}

/// What stands behind "key": in a line that this file wrote; the default where the key is not there.
template <class Number>
Number number_of(std::string_view line, std::string_view key) {
  Number value{};
  const std::string start = fmt::format("\"{}\": ", key);
  const std::size_t at = line.find(start);
  if (at != std::string_view::npos) std::from_chars(line.data() + at + start.size(), line.data() + line.size(), value);
  return value;
}

std::string text_at(std::string_view line, std::string_view key) {
  const std::string start = fmt::format("\"{}\": \"", key);
  const std::size_t at = line.find(start);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + start.size();
  return std::string(line.substr(begin, line.find('"', begin) - begin));
}

std::vector<Accuracy> accuracies_of(std::string_view line) {
  std::vector<Accuracy> accuracies;
  for (std::size_t at = line.find(kPointStart); at != std::string_view::npos; at = line.find(kPointStart, at + 1)) {
    const std::string_view object = line.substr(at, line.find('}', at) - at);
    Accuracy accuracy;
    accuracy.point.weights = number_of<int>(object, "weights");
    accuracy.point.activations = number_of<int>(object, "activations");
    accuracy.point.range = text_at(object, "range");
    accuracy.point.granularity = text_at(object, "granularity");
    accuracy.point.first = number_of<int>(object, "first");
    accuracy.point.last = number_of<int>(object, "last");
    accuracy.value = number_of<double>(object, "value");
    accuracies.push_back(std::move(accuracy));
  }
  return accuracies;
}

}  // namespace

std::string accuracies_json(const std::vector<Accuracy>& accuracies) {
  std::vector<std::string> objects;
  for (const Accuracy& accuracy : accuracies) objects.push_back(accuracy_json(accuracy));
  return fmt::format("[{}]", comma_list(objects));
}

std::string classes_json(const std::vector<ClassAccuracy>& classes) {
  const auto fraction = [](const std::optional<double>& value) { return value ? json_number(*value) : "null"; };
  std::vector<std::string> objects;
  for (const ClassAccuracy& one : classes)
    objects.push_back(fmt::format(
        R"({{"class": {}, "weights": {}, "activations": {}, "clients": {}, "own": {}, "unseen": {}}})",
        json_text(one.name), one.weights, one.activations, one.clients, fraction(one.own), fraction(one.unseen)));
  return fmt::format("[{}]", comma_list(objects));
}

namespace {

std::string measures_json(const RoundMeasures& measures, const std::vector<std::string>& classes) {
  std::vector<std::string> energy;
  for (std::size_t i = 0; i < classes.size(); ++i)
    energy.push_back(fmt::format("{}: {}", json_text(classes[i]), json_number(measures.joules[i])));
  return fmt::format(R"(, "flops": {}, "energy": {{{}}}, "wasted": {{"tasks": {}, "flops": {}, "energy": {}}}, )"
                     R"("participation": {{"clients": {}, "classes": {}}})",
                     json_number(measures.flops), comma_list(energy), measures.wasted_tasks,
                     json_number(measures.wasted_flops), json_number(measures.wasted_joules),
                     json_number(measures.fair_clients), json_number(measures.fair_classes));
}

}  // namespace

std::string metrics_line(const RoundRecord& record, const RoundMeasures* measures,
                         const std::vector<std::string>& classes) {
  const RoundReport& report = record.report;
  std::string line = fmt::format(
      R"({}{}, "seconds": {:.6f}, "bytes_down": {}, "bytes_up": {}, "train_loss": {}, "clients": {}, "failed": {})",
      kLineStart, report.round, record.seconds, record.bytes_down, record.bytes_up, json_number(report.train_loss),
      report.clients, report.failed);
  if (report.released > 0) line += fmt::format(R"(, "released": {})", report.released);
  if (report.replaced > 0) line += fmt::format(R"(, "replaced": {})", report.replaced);
  if (report.version != report.round) line += fmt::format(R"(, "version": {})", report.version);
  if (report.abandoned) line += kAbandoned;
  if (record.time) line += fmt::format(R"(, "time": {})", json_number(*record.time));
  if (report.waited > 0) line += fmt::format(R"(, "waited": {})", json_number(report.waited));
  if (report.most_stale > 0)
    line +=
        fmt::format(R"(, "staleness": {{"mean": {}, "most": {}}})", json_number(report.staleness), report.most_stale);
  if (measures != nullptr) line += measures_json(*measures, classes);
  if (!record.accuracy.empty()) {
    line += R"(, "accuracy": )" + accuracies_json(record.accuracy);
  }
  if (!record.classes.empty()) line += R"(, "classes": )" + classes_json(record.classes);
  return line + "}";
}

namespace {

std::uint32_t version_of_metrics_line(const std::string& line) {
  const auto version = number_of<std::uint32_t>(line, "version");
  return version > 0 ? version : round_of_metrics_line(line);
}

}  // namespace

EarlierRounds read_earlier_rounds(const std::string& lines) {
  EarlierRounds earlier;
  std::istringstream text(lines);
  for (std::string line; std::getline(text, line);) {
    earlier.bytes_down += number_of<std::uint64_t>(line, "bytes_down");
    earlier.bytes_up += number_of<std::uint64_t>(line, "bytes_up");
    std::vector<Accuracy> accuracy = accuracies_of(line);
    if (accuracy.empty()) continue;
    earlier.accuracy = std::move(accuracy);
    earlier.accuracy_round = version_of_metrics_line(line);
  }
  return earlier;
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
