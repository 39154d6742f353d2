#pragma once

#include <cstddef>

namespace anybit {

/// gradient[i] = output[i] > 0 ? gradient[i] : 0: the backward pass of a ReLU, seen from its output.
inline void mask_by_output(float* gradient, const float* output, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) gradient[i] = output[i] > 0.0F ? gradient[i] : 0.0F;
}

}  // namespace anybit
