#include "data/availability/intervals.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/availability/time_grid.h"

namespace anybit {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

Intervals::Intervals(std::span<const Interval> sorted, double repeat) : repeat_(repeat) {
  for (const Interval& interval : sorted) {
    const bool same_client = !clients_.empty() && clients_.back() == interval.client;
    if (!same_client) {
      clients_.push_back(interval.client);
      firsts_.push_back(starts_.size());
    } else if (ends_.back() == interval.start) {
      ends_.back() = interval.end;
      continue;
    }
    starts_.push_back(interval.start);
    ends_.push_back(interval.end);
  }
  firsts_.push_back(starts_.size());
}

Intervals::Range Intervals::range_of(std::uint32_t client) const {
  const auto found = std::lower_bound(clients_.begin(), clients_.end(), client);
  if (found == clients_.end() || *found != client) return {};
  const auto place = static_cast<std::size_t>(found - clients_.begin());
  return {firsts_[place], firsts_[place + 1]};
}

double Intervals::local(double time) const { return repeat_ > 0 ? std::fmod(time, repeat_) : time; }

bool Intervals::holds(Range range, double local) const {
  const auto begin = starts_.begin() + static_cast<std::ptrdiff_t>(range.first);
  const auto end = starts_.begin() + static_cast<std::ptrdiff_t>(range.last);
  const auto later = std::upper_bound(begin, end, local);
  return later != begin && local < ends_[static_cast<std::size_t>(later - starts_.begin()) - 1];
}

double Intervals::turn_after(Range range, double local) const {
  const auto begin = starts_.begin() + static_cast<std::ptrdiff_t>(range.first);
  const auto end = starts_.begin() + static_cast<std::ptrdiff_t>(range.last);
  const auto later = static_cast<std::size_t>(std::upper_bound(begin, end, local) - starts_.begin());
  const double first = starts_[range.first];
  if (holds(range, local)) {
    const double over = ends_[later - 1];
    if (repeat_ == 0 || over < repeat_ || first > 0) return over;
    return ends_[range.first] == repeat_ ? kNever : repeat_ + ends_[range.first];  // on past the repetition's end
  }
  if (later < range.last) return starts_[later];
  return repeat_ == 0 ? kNever : repeat_ + first;
}

bool Intervals::available(std::uint32_t client, double time) const { return holds(range_of(client), local(time)); }

double Intervals::next(std::uint32_t client, double time) const {
  return available(client, time) ? time : until(client, time);
}

double Intervals::until(std::uint32_t client, double time) const {
  const Range range = range_of(client);
  if (range.empty()) return kNever;
  const double passed = local(time);
  const double turn = turn_after(range, passed);
  if (repeat_ == 0 || turn == kNever) return turn;
  return on_grid(time + (turn - passed));
}

double Intervals::longest(std::uint32_t client) const {
  const Range range = range_of(client);
  double most = 0;
  for (std::size_t i = range.first; i < range.last; ++i) {
    const double end = until(client, starts_[i]);  // that of the last can be past the repetition's
    most = std::max(most, end - starts_[i]);
  }
  return most;
}

}  // namespace anybit
