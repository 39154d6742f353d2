#include "server/record/progress.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <set>
#include <span>
#include <utility>

#include "program/quantity_text.h"

namespace anybit {
namespace {

constexpr int kMostTold = 10;  // failures a minute

/// One accuracy for each width of the weights, at the first activation width, range and granularity: all others are for
/// the table.
std::vector<Accuracy> by_width(const std::vector<Accuracy>& accuracies) {
  std::vector<Accuracy> told;
  std::set<int> seen;
  for (const Accuracy& accuracy : accuracies)
    if (accuracy.point.activations == accuracies.front().point.activations &&
        seen.insert(accuracy.point.weights).second)
      told.push_back(accuracy);
  return told;
}

std::string accuracy_text(std::span<const Accuracy> accuracies, int decimals) {
  std::string text;
  for (const Accuracy& accuracy : accuracies)
    text += fmt::format("{}{}:{:.{}f}", text.empty() ? "  % " : " ", accuracy.point.weights, 100 * accuracy.value,
                        decimals);
  return text;
}

std::string round_text(const RunStanding& standing) {
  return fmt::format("round {}/{}", standing.round, standing.rounds);
}

}  // namespace

RunStanding standing_after(std::uint32_t version, std::uint32_t rounds, const std::string& metrics) {
  EarlierRounds earlier = read_earlier_rounds(metrics);
  RunStanding standing;
  standing.round = version;
  standing.rounds = rounds;
  standing.bytes_down = earlier.bytes_down;
  standing.bytes_up = earlier.bytes_up;
  standing.accuracy = std::move(earlier.accuracy);
  standing.accuracy_round = earlier.accuracy_round;
  return standing;
}

std::string progress_line(const RunStanding& standing, std::size_t columns) {
  const std::string round = round_text(standing);
  const bool known = std::isfinite(standing.seconds_left);
  const std::string left = known ? round + "  left " + duration_text(standing.seconds_left) : round;
  const std::string start = left + "  " + traffic_text(standing.bytes_down, standing.bytes_up);
  const std::vector<Accuracy> told = by_width(standing.accuracy);
  const std::string loss = std::isfinite(standing.loss) ? fmt::format("  loss {:.4f}", standing.loss) : "  loss -";
  const bool earlier = !told.empty() && standing.accuracy_round != standing.round;
  const std::string exact = start + accuracy_text(told, 1);
  const std::string dated = exact + (earlier ? fmt::format(" @{}", standing.accuracy_round) : "");
  // The same told in ever fewer characters.
  std::vector<std::string> lines = {dated + loss, dated, exact};
  for (std::size_t most = told.size(); most > 0; --most)
    lines.push_back(start + accuracy_text(std::span(told).first(most), 0));
  lines.insert(lines.end(), {start, left, round});
  for (const std::string& line : lines)
    if (line.size() <= columns) return line;
  return {};
}

Progress::Progress(std::FILE* out, RunStanding start)
    : line_(out), done_before_(start.round), standing_(std::move(start)) {
  if (line_.on_terminal()) line_.show(round_text(standing_));
}

void Progress::stand(const RoundRecord& record) {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  standing_.round = record.report.version;
  const std::uint32_t done = standing_.round - done_before_;
  standing_.seconds_left = done > 0 ? seconds / done * (standing_.rounds - standing_.round) : std::nan("");
  standing_.loss = record.report.clients > 0 ? record.report.train_loss : std::nan("");
  standing_.bytes_down += record.bytes_down;
  standing_.bytes_up += record.bytes_up;
  if (record.accuracy.empty()) return;
  standing_.accuracy = record.accuracy;
  standing_.accuracy_round = record.report.version;
}

void Progress::round(const RoundRecord& record) {
  stand(record);
  for (const std::string& failure : record.failures) tell(record.report.round, failure);
  if (record.report.abandoned)
    tell(record.report.round, fmt::format("abandoned, valid updates: {}", record.report.clients));
  const bool last = record.report.version == standing_.rounds;
  if (last || line_.due() || (!line_.on_terminal() && !record.accuracy.empty()))
    line_.show(progress_line(standing_, line_.columns()));
}

void Progress::wait(const std::string& text) {
  if (line_.due()) line_.show(text);
}

void Progress::tell(std::uint32_t round, const std::string& failure) {
  if (Clock::now() - minute_ >= std::chrono::minutes(1)) {
    minute_ = Clock::now();
    told_ = 0;
  }
  if (told_ > kMostTold) return;
  if (told_++ < kMostTold)
    line_.tell(fmt::format("round {}: {}", round, failure));
  else
    line_.tell(fmt::format("round {}: and more; metrics.jsonl counts them", round));
}

EvaluationProgress::EvaluationProgress(std::FILE* out) : line_(out) {
  if (!line_.on_terminal()) line_.wait();
}

void EvaluationProgress::stand(double done, std::size_t points) {
  if (!line_.due()) return;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  const double left = done > 0 ? seconds / done * (static_cast<double>(points) - done) : std::nan("");
  const std::string told = fmt::format("{}/{} points", static_cast<std::size_t>(done), points);
  line_.show(told + (done > 0 ? "  left " + duration_text(left) : ""));
}

}  // namespace anybit
