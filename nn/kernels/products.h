#pragma once

#include "nn/kernels/kernels.h"

namespace anybit {

// Products of matrices without gaps between rows, for SumOfRows' caller to complete. For layers and tests: the kernels'
// own sources take no inline functions.

/// c = left right: rows x terms times terms x columns.
inline SumOfRows product(const float* left, const float* right, float* c, std::size_t rows, std::size_t columns,
                         std::size_t terms) {
  return {.coefficients = left,
          .term_stride = 1,
          .row_stride = terms,
          .v = right,
          .v_stride = columns,
          .start = nullptr,
          .c = c,
          .c_stride = columns,
          .rows = rows,
          .columns = columns,
          .terms = terms};
}

/// c = left' right, with left terms x rows: the gradient of a weight from what its layer read and its output's.
inline SumOfRows transposed_product(const float* left, const float* right, float* c, std::size_t rows,
                                    std::size_t columns, std::size_t terms) {
  SumOfRows made = product(left, right, c, rows, columns, terms);
  made.term_stride = rows;
  made.row_stride = 1;
  return made;
}

}  // namespace anybit
