#include "sim/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cmath>
#include <set>

#include "sim/accuracy_table.h"

namespace anybit {
namespace {

constexpr std::chrono::milliseconds kLiveInterval{100};
constexpr std::chrono::seconds kPlainInterval{10};
constexpr int kMostTold = 10;  // failures

/// The first value of each width of the weights, e.g. "W32 91.2%  W4 88.0%": all others are for the table.
std::string accuracy_text(const std::vector<Accuracy>& accuracies) {
  std::string text;
  std::set<int> seen;
  for (const Accuracy& accuracy : accuracies)
    if (seen.insert(accuracy.point.weights).second)
      text += fmt::format("  {} {:.1f}%", width_label(accuracy.point), 100 * accuracy.value);
  return text;
}

/// A longer line would wrap and could not be written over.
std::size_t terminal_columns(std::FILE* out) {
  struct winsize size = {};
  if (::ioctl(::fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 79;
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

Progress::Progress(std::FILE* out, std::uint32_t done, std::uint32_t rounds)
    : out_(out), terminal_(::isatty(::fileno(out)) == 1), done_before_(done), rounds_(rounds) {}

std::string Progress::line(const RoundRecord& record) const {
  const std::uint32_t round = record.report.round;
  const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
  const double left = seconds / (round - done_before_) * (rounds_ - round);
  return fmt::format("round {}/{}  left {}  loss {:.4f}{}  down {}  up {}", round, rounds_, duration_text(left),
                     record.report.train_loss, accuracy_, bytes_text(static_cast<double>(bytes_down_)),
                     bytes_text(static_cast<double>(bytes_up_)));
}

void Progress::round(const RoundRecord& record) {
  bytes_down_ += record.bytes_down;
  bytes_up_ += record.bytes_up;
  if (!record.accuracy.empty()) accuracy_ = accuracy_text(record.accuracy);
  for (const std::string& failure : record.failures) tell(record.report.round, failure);
  const bool last = record.report.round == rounds_;
  const bool due = Clock::now() - shown_ >= (terminal_ ? Clock::duration(kLiveInterval) : Clock::duration(kPlainInterval));
  if (!last && !due && (terminal_ || record.accuracy.empty())) return;
  shown_ = Clock::now();
  if (terminal_) {
    fmt::print(out_, "\r\033[K{}", line(record).substr(0, terminal_columns(out_)));
    line_open_ = true;
  } else {
    fmt::print(out_, "{}\n", line(record));
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
