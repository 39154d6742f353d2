#pragma once

#include <memory>
#include <string>

#include "quant/quantizers/slot_quantizer.h"

namespace anybit {

/// Activations on an asymmetric grid per tensor over a moving min-max range (specs A 1.4), trained straight through.
/// Range tensors "<layer>.input.range" = [min, max], role statistic, merged as mean. The moving average old * momentum
/// + batch * (1 - momentum) goes to SlotPass::statistics before it is used; [0, 0] means unset and takes the first
/// batch as it is. Without statistics the stored range is used, and an unset one leaves activations alone.
struct MovingRange {
  float momentum = 0.9F;
  Rounding rounding = Rounding::kHalfEven;
};
std::shared_ptr<const SlotQuantizerKind> moving_range_activations(MovingRange settings);

/// "<layer>.input.range" of an activation slot.
std::string range_tensor_name(const SlotSite& site);

}  // namespace anybit
