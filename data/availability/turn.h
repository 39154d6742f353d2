#pragma once

#include <cmath>
#include <limits>

namespace anybit {

/// The first number from `near` on at which `holds`: the turn of an availability that was computed as `near`, which
/// rounding may have put a few steps of a double before it. So whoever waits for a turn finds that it has come.
/// Infinity stays.
template <class Holds>
double turn_from(double near, const Holds& holds) {
  while (std::isfinite(near) && !holds(near)) near = std::nextafter(near, std::numeric_limits<double>::infinity());
  return near;
}

}  // namespace anybit
