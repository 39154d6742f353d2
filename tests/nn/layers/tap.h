#pragma once

#include <algorithm>
#include <vector>

#include "nn/loss.h"

namespace anybit {

/// Hands every output a gradient of 1 and keeps the outputs of the training pass.
class Tap final : public Loss {
 public:
  Score apply(std::span<const float> outputs, std::span<const std::uint8_t>, int,
              std::span<float> gradient) const override {
    seen.assign(outputs.begin(), outputs.end());
    std::fill(gradient.begin(), gradient.end(), 1.0F);
    return {};
  }
  mutable std::vector<float> seen;
};

}  // namespace anybit
