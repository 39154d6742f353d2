#include "sim/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <set>

namespace anybit {
namespace {

constexpr std::chrono::milliseconds kLiveInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr int kMostTold = 10;  // failures
constexpr std::size_t kUsualColumns = 79;

/// A value for each width of the weights, e.g. "W32 91.2%  W4 88.0%", at the first activation width, range and
/// granularity: all others are for the table.
std::string accuracy_text(const std::vector<Accuracy>& accuracies) {
  std::string text;
  std::set<int> seen;
  for (const Accuracy& accuracy : accuracies)
    if (accuracy.point.activations == accuracies.front().point.activations && seen.insert(accuracy.point.weights).second)
      text += fmt::format("{}W{} {:.1f}%", text.empty() ? "" : "  ", accuracy.point.weights, 100 * accuracy.value);
  return text;
}

/// A longer line would wrap and could not be written over.
std::size_t terminal_columns(std::FILE* out) {
  struct winsize size = {};
  if (::ioctl(::fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col - 1U;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string bytes_text(double bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  while (bytes >= 1000 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes) : fmt::format("{:.1f} {}", bytes, kUnits[unit]);
}

std::string progress_line(const Standing& standing, std::size_t columns) {
  const std::vector<std::string> parts = {
      fmt::format("round {}/{}", standing.round, standing.rounds),
      "left " + duration_text(standing.seconds_left),
      accuracy_text(standing.accuracy),
      fmt::format("down {}  up {}", bytes_text(static_cast<double>(standing.bytes_down)),
                  bytes_text(static_cast<double>(standing.bytes_up))),
      std::isfinite(standing.loss) ? fmt::format("loss {:.4f}", standing.loss) : "loss -",
  };
  std::string line;
  for (const std::string& part : parts) {
    if (part.empty()) continue;
    const std::string longer = line.empty() ? part : line + "  " + part;
    if (longer.size() > columns) break;
    line = longer;
  }
  return line;
}

Progress::Progress(std::FILE* out, std::uint32_t done, std::uint32_t rounds)
    : out_(out), terminal_(::isatty(::fileno(out)) == 1), done_before_(done) {
  standing_.rounds = rounds;
}

void Progress::stand(const RoundRecord& record) {
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  standing_.round = record.report.round;
  standing_.seconds_left = seconds / (standing_.round - done_before_) * (standing_.rounds - standing_.round);
  standing_.loss = record.report.clients > 0 ? record.report.train_loss : std::nan("");
  standing_.bytes_down += record.bytes_down;
  standing_.bytes_up += record.bytes_up;
  if (!record.accuracy.empty()) standing_.accuracy = record.accuracy;
}

void Progress::round(const RoundRecord& record) {
  stand(record);
  for (const std::string& failure : record.failures) tell(record.report.round, failure);
  const bool last = record.report.round == standing_.rounds;
  const bool due = Clock::now() - shown_ >= (terminal_ ? Clock::duration(kLiveInterval) : Clock::duration(kPlainInterval));
  if (!last && !due && (terminal_ || record.accuracy.empty())) return;
  shown_ = Clock::now();
  if (terminal_) {
    fmt::print(out_, "\r\033[K{}", progress_line(standing_, terminal_columns(out_)));
    line_open_ = true;
  } else {
    fmt::print(out_, "{}\n", progress_line(standing_, std::string::npos));
  }
  std::fflush(out_);
}

void Progress::tell(std::uint32_t round, const std::string& failure) {
  if (told_ > kMostTold) return;
  end();
  if (told_++ < kMostTold)
    fmt::print(out_, "round {}: {}\n", round, failure);
  else
    fmt::print(out_, "round {}: and more; metrics.jsonl counts them\n", round);
}

void Progress::end() {
  if (line_open_) fmt::print(out_, "\n");
  line_open_ = false;
}

}  // namespace anybit
