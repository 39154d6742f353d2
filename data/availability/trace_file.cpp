#include "data/availability/trace_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <tuple>

#include "data/availability/time_grid.h"
#include "scenarios/option_types.h"

namespace anybit {
namespace {

constexpr std::size_t kMostMistakes = 20;

using Fields = std::array<std::string_view, 3>;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::optional<Fields> split(std::string_view line) {
  const std::size_t first = line.find(',');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = line.find(',', first + 1);
  if (second == std::string_view::npos || line.find(',', second + 1) != std::string_view::npos) return std::nullopt;
  return Fields{trimmed(line.substr(0, first)), trimmed(line.substr(first + 1, second - first - 1)),
                trimmed(line.substr(second + 1))};
}

template <class Number>
bool read_number(std::string_view text, Number& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size();
}

bool is_header(const Fields& fields) {
  double number = 0;
  return std::ranges::none_of(fields, [&](std::string_view field) { return read_number(field, number); });
}

/// Enough of a line to know it by.
std::string shown(std::string_view text) {
  constexpr std::size_t kMost = 40;
  return text.size() <= kMost ? std::string(text) : std::string(text.substr(0, kMost)) + "...";
}

std::string seconds_text(const Interval& interval) {
  return shortest_number(interval.start) + " to " + shortest_number(interval.end);
}

/// "" or what is wrong.
std::string read_seconds(std::string_view text, double& seconds) {
  if (!read_number(text, seconds) || !std::isfinite(seconds))
    return fmt::format("'{}' is no number of seconds", shown(text));
  if (seconds < 0) return fmt::format("{} is negative; times are seconds since the run's beginning", text);
  if (seconds > kMostSeconds) return fmt::format("{} is later than {} seconds", text, shortest_number(kMostSeconds));
  seconds = on_grid(seconds);
  return "";
}

class Reading {
 public:
  explicit Reading(const TraceReader& trace) : trace_(trace) {}

  void lines(std::string_view text);
  std::vector<Interval> finish();

 private:
  void line(std::string_view text, int number);
  std::string fill(const Fields& fields, Interval& interval) const;
  bool is_member(std::uint32_t client);
  void refuse_overlaps();
  void refuse(int line, const std::string& reason) {
    more_ = mistakes_.found().size() == kMostMistakes;
    if (!more_) mistakes_.add({{trace_.path, line}, reason, "fleet.class"});
  }

  const TraceReader& trace_;
  Mistakes mistakes_;
  bool more_ = false;  // mistakes than are told
  std::vector<Interval> intervals_;
  bool begun_ = false;
  bool knows_columns_ = true;
  std::optional<std::uint32_t> asked_;  // most traces have a client's lines together
  bool answer_ = false;
};

bool Reading::is_member(std::uint32_t client) {
  if (asked_ != client) answer_ = trace_.is_member(client);
  asked_ = client;
  return answer_;
}

void Reading::lines(std::string_view text) {
  for (int number = 1; !text.empty() && !more_ && knows_columns_; ++number) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (const std::string_view content = trimmed(text.substr(0, end)); !content.empty()) line(content, number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void Reading::line(std::string_view text, int number) {
  const bool is_first = !std::exchange(begun_, true);
  const std::optional<Fields> fields = split(text);
  if (!fields) return refuse(number, fmt::format("expected client,start,end, not '{}'", shown(text)));
  if (is_first && is_header(*fields)) {
    if (*fields == Fields{"client", "start", "end"}) return;
    knows_columns_ = false;  // nor is the rest worth reading
    return refuse(number, fmt::format("the columns are called '{}', but must be client,start,end", shown(text)));
  }
  Interval interval;
  interval.line = number;
  if (const std::string reason = fill(*fields, interval); !reason.empty()) return refuse(number, reason);
  if (is_member(interval.client)) intervals_.push_back(interval);
}

/// "" or what is wrong.
std::string Reading::fill(const Fields& fields, Interval& interval) const {
  std::uint64_t client = 0;
  if (!read_number(fields[0], client)) return fmt::format("'{}' is no client's number", shown(fields[0]));
  if (client >= trace_.clients)
    return fmt::format("there is no client {}; data.clients is {}, so they are 0 to {}", client, trace_.clients,
                       trace_.clients - 1);
  interval.client = static_cast<std::uint32_t>(client);
  for (const auto& [field, seconds] : {std::tie(fields[1], interval.start), std::tie(fields[2], interval.end)})
    if (std::string reason = read_seconds(field, seconds); !reason.empty()) return reason;
  if (interval.end <= interval.start)
    return fmt::format("client {}: {} does not end after its start", client, seconds_text(interval));
  if (trace_.repeat > 0 && interval.end > trace_.repeat)
    return fmt::format("client {}: {} ends after 'repeat', {} seconds", client, seconds_text(interval),
                       shortest_number(trace_.repeat));
  return "";
}

/// Of sorted intervals. Each is compared with the one before it that ends last.
void Reading::refuse_overlaps() {
  const Interval* reaching = nullptr;
  for (const Interval& next : intervals_) {
    const bool same_client = reaching && reaching->client == next.client;
    if (same_client && next.start < reaching->end) {
      const auto& [earlier, later] =
          std::minmax(*reaching, next, [](const auto& a, const auto& b) { return a.line < b.line; });
      refuse(later.line, fmt::format("client {}: {} overlaps {} of line {}", later.client, seconds_text(later),
                                     seconds_text(earlier), earlier.line));
    }
    if (!same_client || next.end > reaching->end) reaching = &next;
  }
}

std::vector<Interval> Reading::finish() {
  const auto place = [](const Interval& interval) {
    return std::tuple(interval.client, interval.start, interval.end, interval.line);
  };
  std::sort(intervals_.begin(), intervals_.end(),
            [&](const Interval& a, const Interval& b) { return place(a) < place(b); });
  refuse_overlaps();
  if (more_) mistakes_.add({{trace_.path, 0}, "there are more mistakes than these", "fleet.class"});
  mistakes_.throw_if_any();
  return std::move(intervals_);
}

}  // namespace

std::vector<Interval> TraceReader::read(std::string_view text) const {
  Reading reading(*this);
  reading.lines(text);
  return reading.finish();
}

}  // namespace anybit
