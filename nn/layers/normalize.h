#pragma once

#include "nn/layers/plane.h"

namespace anybit {

// The loops that GroupNorm and BatchNorm share, over one example's plane. Constants hold a number per lane. With `relu`
// the output is max(0, .), and a gradient counts only where the output is above zero, which is found by computing the
// output again: that is cheaper than reading it.

/// What a norm does to a number: y = factor x + offset.
struct NormLanes {
  FloatBuffer factor;
  FloatBuffer offset;
  explicit NormLanes(const Plane& plane) : factor(plane.width()), offset(plane.width()) {}
  std::size_t bytes() const { return held_bytes(factor, offset); }
};

/// sums[c] = sum of x.
void plane_sums(const Plane& plane, const float* x, FloatBuffer& sums);

/// sums[c] = sum of (x - mean)^2.
void plane_squares(const Plane& plane, const float* x, const FloatBuffer& mean, FloatBuffer& sums);

/// y = factor x + offset.
void normalize_plane(const Plane& plane, const float* x, const NormLanes& norm, bool relu, float* y);

/// sums[c] = sum of dy, products[c] = sum of dy (x - mean).
void gradient_sums(const Plane& plane, const float* x, const float* dy, const FloatBuffer& mean, const NormLanes& norm,
                   bool relu, FloatBuffer& sums, FloatBuffer& products);

/// dx = factor dy + slope x + constant.
void norm_input_gradient(const Plane& plane, const float* x, const float* dy, const NormLanes& norm, bool relu,
                         const FloatBuffer& slope, const FloatBuffer& constant, float* dx);

}  // namespace anybit
