#pragma once

#include <cmath>

#include "quant/method.h"

namespace anybit {

/// A part that keeps something between a client's rounds, for tests: how many updates there were, and what rounding
/// left of each element. A state that is lost, doubled or skipped changes what follows.
///   count' = count + 1
///   w = delta + residual + count' 2^-14,  delta' = w rounded to multiples of 2^-8,  residual' = w - delta'
class CounterAndResidual final : public ClientState {
 public:
  std::size_t floats(const Layout& layout) const override { return 1 + layout.size(); }

  void before_upload(const Layout&, const DrawName&, std::span<float> state, std::span<float> delta) const override {
    state[0] += 1.0F;
    for (std::size_t i = 0; i < delta.size(); ++i) {
      const float wanted = delta[i] + state[1 + i] + state[0] * 0x1p-14F;
      delta[i] = std::nearbyint(wanted * 0x1p8F) * 0x1p-8F;
      state[1 + i] = wanted - delta[i];
    }
  }
};

}  // namespace anybit
