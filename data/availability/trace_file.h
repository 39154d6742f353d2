#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "data/availability/intervals.h"

namespace anybit {

/// Later times are refused, thirty years: up to here a microsecond counts.
inline constexpr double kMostSeconds = 1e9;

/// What is read of a trace; times are rounded to a microsecond (time_grid.h).
struct TraceReader {
  std::string path;  // for messages
  std::uint32_t clients = 0;
  double repeat = 0;
  const std::function<bool(std::uint32_t)>& is_member;  // lines of other clients are checked and left out

  /// The members' intervals by client and start. Throws ScenarioErrors with what is wrong, each "path:line: reason", of
  /// many the first ones.
  std::vector<Interval> read(std::string_view text) const;
};

}  // namespace anybit
