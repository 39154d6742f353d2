#pragma once

#include "nn/kernels/kernels.h"
#include "nn/layers/layer.h"

namespace anybit {

/// The gradient of a dense layer's weight, coefficients^T v with a row of v for each row of the batch: written to
/// pass.weight_gradient, or taken as a step where one is offered.
struct DenseWeightGradient {
  const float* coefficients;  // batch x rows
  const float* v;             // batch x columns
  std::size_t batch, rows, columns;

  void apply(LayerGradient& pass) const {
    pass.stepped = pass.step != nullptr;
    kernels().sum_of_rows({.coefficients = coefficients,
                           .term_stride = rows,
                           .row_stride = 1,
                           .v = v,
                           .v_stride = columns,
                           .start = nullptr,
                           .c = pass.stepped ? pass.stepped_weight : pass.weight_gradient,
                           .c_stride = columns,
                           .rows = rows,
                           .columns = columns,
                           .terms = batch,
                           .step = pass.step});
  }
};

}  // namespace anybit
