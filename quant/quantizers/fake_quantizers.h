#pragma once

#include <memory>
#include <utility>

#include "quant/method.h"
#include "quant/quantizers/slot_quantizer.h"
#include "quant/schedules/width_plan.h"

namespace anybit {

/// Fake quantization of weights and activations: a kind of quantizer for each, at the widths that the plan gives to
/// their slots. A slot that is never quantized has none.
class FakeQuantizers final : public SlotQuantizers {
 public:
  struct Kinds {
    WidthPlan plan;
    std::shared_ptr<const SlotQuantizerKind> weights;
    std::shared_ptr<const SlotQuantizerKind> activations;

    const SlotQuantizerKind& of(const SlotSite& site) const {
      return site.kind == SlotKind::kWeight ? *weights : *activations;
    }
  };

  explicit FakeQuantizers(Kinds kinds) : kinds_(std::move(kinds)) {}

  std::vector<TensorSpec> tensors(const Network& network) const override;
  void initialize(const Network& network, const Layout& layout, std::span<float> values) const override;
  std::unique_ptr<SlotProgram> make_program(std::shared_ptr<const Network> network,
                                            std::shared_ptr<const Layout> layout, Passes passes) const override;
  std::vector<Range> activation_ranges(const Network& network, const Parameters& parameters) const override;

 private:
  Kinds kinds_;
};

}  // namespace anybit
