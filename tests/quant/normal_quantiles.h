#pragma once

#include <cmath>
#include <vector>

namespace anybit {

/// The quantiles (i + 1/2) / n of N(0, 1), by Newton's method on the C library's erfc: a sample without its luck.
inline std::vector<float> normal_quantiles(std::size_t n) {
  std::vector<float> values(n);
  double x = 0;
  for (std::size_t i = n / 2; i < n; ++i) {
    const double above = 1.0 - (static_cast<double>(i) + 0.5) / static_cast<double>(n);
    for (int k = 0; k < 3; ++k)
      x += (0.5 * std::erfc(x / std::sqrt(2.0)) - above) * std::sqrt(2.0 * std::acos(-1.0)) * std::exp(x * x / 2);
    values[i] = static_cast<float>(x);
    values[n - 1 - i] = -values[i];
  }
  return values;
}

}  // namespace anybit
