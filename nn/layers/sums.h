#pragma once

#include <algorithm>
#include <cstddef>

namespace anybit {

/// sum[c] = sum over the rows of x (rows x columns), in order: the gradient of a bias.
inline void sum_over_rows(const float* x, std::size_t rows, std::size_t columns, float* sum) {
  std::fill_n(sum, columns, 0.0F);
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) sum[c] += x[r * columns + c];
}

}  // namespace anybit
