#pragma once

#include "nn/kernels/products.h"
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
    float* const c = pass.stepped ? pass.stepped_weight : pass.weight_gradient;
    SumOfRows sums = transposed_product(coefficients, v, c, rows, columns, batch);
    sums.step = pass.step;
    kernels().sum_of_rows(sums);
  }
};

}  // namespace anybit
