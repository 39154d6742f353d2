#pragma once

#include <array>
#include <memory>
#include <vector>

#include "nn/buffer.h"
#include "quant/quantizers/slot_quantizer.h"

namespace anybit {

/// How the grids of weights are made, by the rule's FitTiming. Every step: the range of the weights as they are, anew
/// in every forward pass, a constant to the gradient; nothing clips. Every round: fitted to the received weights, once
/// per client and width. Learned: a step per (layer, width), tensors "<weight>.step<width>" (learned_step.h).
struct WeightGrids {
  std::shared_ptr<const RangeRule> rule;  // of range_rule_table()
  bool per_channel = false;
  WeightFit fit;
  Rounding rounding = Rounding::kHalfEven;
  /// Pseudo-noise instead of quantization: w + s U, U uniform in [-1/2, 1/2), backward the identity (specs A 3.1). Not
  /// with learned steps.
  bool noise = false;
};

/// Weights on symmetric uniform grids, trained straight through: those that are clipped get no gradient (specs A 0.1,
/// 0.2).
std::shared_ptr<const SlotQuantizerKind> grid_weights(WeightGrids grids);

}  // namespace anybit
