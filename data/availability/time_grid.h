#pragma once

#include <cmath>

namespace anybit {

/// The nearest multiple of 2^-20 s, about a microsecond. Every time at which an availability turns is one, and so is
/// every period after which it does so again: up to 2^32 s, 136 years, their sums and remainders are exact then, and
/// who waits for a turn finds that it has come.
inline double on_grid(double seconds) { return std::nearbyint(seconds * 0x1p20) * 0x1p-20; }

}  // namespace anybit
