#include "quant/quantizers/fake_quantizers.h"

#include "quant/quantizers/fake_program.h"
#include "quant/quantizers/learned_step.h"

namespace anybit {
namespace {

TensorSpec range_tensor(const SlotSite& site) {
  TensorSpec spec;
  spec.name = range_tensor_name(site);
  spec.shape = {2};
  spec.role = Role::kStatistic;
  spec.merge = Merge::kMean;
  spec.group = {0.0F, false};
  return spec;
}

}  // namespace

std::string range_tensor_name(const SlotSite& site) { return site.name + ".range"; }

std::vector<TensorSpec> FakeQuantizers::tensors(const Network& network) const {
  std::vector<TensorSpec> own;
  for (const SlotSite& site : network.slots()) {
    if (site.kind == SlotKind::kActivation) {
      if (settings_->plan.activations != kFloatWidth) own.push_back(range_tensor(site));
    } else if (settings_->rule->timing() == FitTiming::kLearned) {
      const TensorSpec& weight = network.tensors()[static_cast<std::size_t>(site.tensor)];
      for (const int width : settings_->plan.possible(site))
        own.push_back(step_tensor(weight, width, settings_->per_channel));
    }
  }
  return own;
}

void FakeQuantizers::initialize(const Network& network, const Layout& layout, std::span<float> values) const {
  if (settings_->rule->timing() != FitTiming::kLearned) return;
  for (const SlotSite& site : network.slots()) {
    if (site.kind != SlotKind::kWeight) continue;
    const TensorSpec& weight = layout.tensors()[static_cast<std::size_t>(site.tensor)];
    for (const int width : settings_->plan.possible(site)) {
      const auto index = static_cast<std::size_t>(layout.index(step_tensor_name(weight.name, width)));
      const TensorSpec& step = layout.tensors()[index];
      initial_log2_steps(values.subspan(weight.offset, weight.size), weight.channel_stride, width,
                         values.subspan(step.offset, step.size));
    }
  }
}

std::unique_ptr<SlotProgram> FakeQuantizers::make_program(std::shared_ptr<const Network> network,
                                                          std::shared_ptr<const Layout> layout) const {
  return std::make_unique<FakeProgram>(settings_, *network, std::move(layout));
}

}  // namespace anybit
