#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "data/availability/availability.h"

namespace anybit {

/// One client's device is there from `start` to before `end`; seconds.
struct Interval {
  std::uint32_t client = 0;
  double start = 0;
  double end = 0;
  int line = 0;  // where it was written
};

/// Available in listed intervals, which start again after `repeat` seconds (0: never). Who is not listed is never
/// available. Keeps two numbers for each interval and two for each client.
class Intervals final : public Availability {
 public:
  /// Times and `repeat` are on the grid of time_grid.h. Sorted by client and start; of one client none overlaps
  /// another, and with `repeat` none ends after it. Those that touch are one.
  Intervals(std::span<const Interval> sorted, double repeat);

  bool available(std::uint32_t client, double time) const override;
  double next(std::uint32_t client, double time) const override;
  double until(std::uint32_t client, double time) const override;
  double longest(std::uint32_t client) const override;

 private:
  /// A client's intervals are first to last - 1.
  struct Range {
    std::size_t first = 0;
    std::size_t last = 0;
    bool empty() const { return first == last; }
  };
  Range range_of(std::uint32_t client) const;
  /// Whether the client is available at a time of the first repetition.
  bool holds(Range range, double local) const;
  /// The time of the first repetition, or beyond its end, at which that changes; infinity: never.
  double turn_after(Range range, double local) const;
  double local(double time) const;

  std::vector<std::uint32_t> clients_;  // ascending
  std::vector<std::size_t> firsts_;     // of each client, and the number of all intervals
  std::vector<double> starts_;
  std::vector<double> ends_;
  double repeat_;
};

}  // namespace anybit
