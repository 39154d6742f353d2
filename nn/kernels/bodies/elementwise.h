#pragma once

#include "nn/kernels/bodies/vector.h"

namespace anybit {
namespace {

void add(const float* a, const float* b, float* out, std::size_t size) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(out + i, load(a + i) + load(b + i));
  for (; i < size; ++i) out[i] = a[i] + b[i];
}

void add_relu(const float* a, const float* b, float* out, std::size_t size) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const Lanes sum = load(a + i) + load(b + i);
    store(out + i, keep(sum > 0.0F, sum));
  }
  for (; i < size; ++i) out[i] = a[i] + b[i] > 0.0F ? a[i] + b[i] : 0.0F;
}

void relu(const float* x, float* y, std::size_t size) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) {
    const Lanes value = load(x + i);
    store(y + i, keep(value > 0.0F, value));
  }
  for (; i < size; ++i) y[i] = x[i] > 0.0F ? x[i] : 0.0F;
}

void relu_gradient(const float* y, const float* dy, float* dx, std::size_t size) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(dx + i, keep(load(y + i) > 0.0F, load(dy + i)));
  for (; i < size; ++i) dx[i] = y[i] > 0.0F ? dy[i] : 0.0F;
}

void scale_bytes(const std::uint8_t* bytes, const float* scale, const float* shift, float* y, std::size_t size) {
  std::size_t i = 0;
  for (; i + Kernels::kPattern <= size; i += Kernels::kPattern)
    for (std::size_t k = 0; k < Kernels::kPattern; k += kLanes)
      store(y + i + k,
            fma(__builtin_convertvector(load_bytes(bytes + i + k), Lanes), load(scale + k), load(shift + k)));
  for (std::size_t k = 0; i < size; ++i, ++k) y[i] = __builtin_fmaf(static_cast<float>(bytes[i]), scale[k], shift[k]);
}

}  // namespace
}  // namespace anybit
