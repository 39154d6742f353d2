#pragma once

#include "nn/kernels/bodies/vector.h"

namespace anybit {
namespace {

/// The weights after a step, the same bits wherever it is taken: of two products in one sum the compiler would contract
/// now this one and now that.
inline Lanes stepped(Lanes w, Lanes gradient, const PlainStep& step) {
  Lanes scaled = step.scale * gradient;
  if (step.clipped) {
    const Lanes u = (w - step.interval.offset) * step.interval.inverse;
    scaled = keep((u >= step.interval.low) & (u <= step.interval.high), scaled);
  }
  hide(scaled);
  return w - step.rate * (scaled + step.decay * w);
}

void plain_step(float* w, const float* gradient, std::size_t size, const PlainStep& step) {
  std::size_t i = 0;
  for (; i + kLanes <= size; i += kLanes) store(w + i, stepped(load(w + i), load(gradient + i), step));
  for (; i < size; ++i) w[i] = stepped(Lanes{} + w[i], Lanes{} + gradient[i], step)[0];
}

}  // namespace
}  // namespace anybit
