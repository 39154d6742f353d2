#pragma once

#include <memory>
#include <string>
#include <vector>

#include "quant/grids/uniform.h"
#include "quant/method.h"
#include "quant/quantizers/range_rule.h"
#include "quant/schedules/width_plan.h"

namespace anybit {

/// What training replaces a weight by, and how activations are treated.
struct FakeSettings {
  WidthPlan plan;
  std::shared_ptr<const RangeRule> rule;  // of range_rule_table()
  bool per_channel = false;               // of the weights; activations are per tensor
  WeightFit fit;
  Rounding rounding = Rounding::kHalfEven;
  /// Pseudo-noise instead of quantization: w + s U, U uniform in [-1/2, 1/2), backward the identity (specs A 3.1).
  bool noise = false;
  float activation_momentum = 0.9F;
};

/// Fake quantization of weights and activations, trained straight through (specs A 0.1, 0.2, 1.4).
///
/// Weights, by the rule's FitTiming. Every step: the range of the weights as they are, anew in every forward pass, a
/// constant to the gradient; nothing clips. Every round: fitted to the received weights, once per client and width.
/// Learned: a step per (layer, width), tensors "<weight>.step<width>" (learned_step.h). Clipped weights get no
/// gradient.
/// Draws of a slot are named by it and by the width of its layer's weight: passes of a step at several widths differ.
///
/// Activations: asymmetric, per tensor, range tensors "<layer>.input.range" = [min, max], role statistic, merged as
/// mean. The moving average old * momentum + batch * (1 - momentum) goes to SlotPass::statistics before it is used;
/// [0, 0] means unset and takes the first batch as it is. Without statistics the stored range is used, and an unset one
/// leaves activations alone.
class FakeQuantizers final : public SlotQuantizers {
 public:
  explicit FakeQuantizers(FakeSettings settings)
      : settings_(std::make_shared<const FakeSettings>(std::move(settings))) {}

  std::vector<TensorSpec> tensors(const Network& network) const override;
  void initialize(const Network& network, const Layout& layout, std::span<float> values) const override;
  std::unique_ptr<SlotProgram> make_program(std::shared_ptr<const Network> network,
                                            std::shared_ptr<const Layout> layout) const override;

 private:
  std::shared_ptr<const FakeSettings> settings_;
};

/// "<layer>.input.range" of an activation slot.
std::string range_tensor_name(const SlotSite& site);

}  // namespace anybit
