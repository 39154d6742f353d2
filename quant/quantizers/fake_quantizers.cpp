#include "quant/quantizers/fake_quantizers.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

namespace anybit {
namespace {

bool same_step(const DrawName& a, const DrawName& b) {
  return a.seed == b.seed && a.round == b.round && a.client == b.client && a.step == b.step;
}

// The per-thread form: hands each slot's numbers to its quantizer.
class FakeProgram final : public SlotProgram {
 public:
  FakeProgram(const FakeQuantizers::Kinds& kinds, const Network& network, std::shared_ptr<const Layout> layout,
              Passes passes)
      : layout_(std::move(layout)), used_(layout_->tensors().size(), 0) {
    for (const SlotSite& site : network.slots()) {
      std::vector<int> widths = kinds.plan.possible(site);
      Slot& slot = slots_.emplace_back();
      // A weight may come to a width of its device's that is not the plan's.
      if (site.kind == SlotKind::kWeight || !widths.empty())
        slot.quantizer = kinds.of(site).make({site, *layout_, std::move(widths), scratch_, passes});
    }
  }

  void begin_client(std::span<const float> parameters) override {
    in_step_ = false;
    for (Slot& slot : slots_)
      if (slot.quantizer) slot.quantizer->begin_client(parameters);
  }

  void begin_step(std::span<const std::uint8_t> widths, const Moment& moment) override {
    if (!in_step_ || !same_step(step_, moment.draw)) std::fill(used_.begin(), used_.end(), std::uint8_t{0});
    in_step_ = true;
    step_ = moment.draw;
    for (std::size_t i = 0; i < slots_.size(); ++i) {
      Slot& slot = slots_[i];
      assert(is_width(widths[i]));
      slot.is_float = widths[i] == kFloatWidth;
      if (slot.is_float) continue;
      if (!slot.quantizer)
        throw std::invalid_argument(
            "the method trained with float activations; train with its option `activations`, or leave them at 32");
      slot.quantizer->begin_step({widths[i], widths[i - i % 2]}, moment);
      slot.quantizer->mark_trained(used_);
    }
  }

  void count_trained(std::span<std::uint32_t> steps) const override {
    for (std::size_t tensor = 0; tensor < used_.size(); ++tensor) steps[tensor] += used_[tensor];
  }

  std::size_t bytes() const override {
    std::size_t bytes = held_bytes(slots_, used_) + scratch_.bytes();
    for (const Slot& slot : slots_)
      if (slot.quantizer) bytes += slot.quantizer->bytes();
    return bytes;
  }

  bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass& pass) override {
    const Slot& slot = at(site);
    return !slot.is_float && slot.quantizer->forward(site, before, after, pass);
  }

  void backward(const SlotSite& site, std::span<const float> before, std::span<const float> after,
                std::span<float> gradient, SlotPass& pass) override {
    const Slot& slot = at(site);
    if (!slot.is_float) slot.quantizer->backward(site, before, after, gradient, pass);
  }

  bool only_clips(const SlotSite& site, PlainStep& step) const override {
    const Slot& slot = at(site);
    return slot.is_float || slot.quantizer->only_clips(step);
  }

 private:
  struct Slot {
    std::unique_ptr<SlotQuantizer> quantizer;  // none for activations that are always float
    bool is_float = true;
  };
  const Slot& at(const SlotSite& site) const { return slots_[static_cast<std::size_t>(site.slot)]; }

  std::shared_ptr<const Layout> layout_;
  FitScratch scratch_;
  std::vector<Slot> slots_;
  std::vector<std::uint8_t> used_;  // by tensor: trained in this local step, of those that only some widths train
  DrawName step_;                   // the local step that used_ is of
  bool in_step_ = false;
};

}  // namespace

std::vector<TensorSpec> FakeQuantizers::tensors(const Network& network) const {
  std::vector<TensorSpec> own;
  for (const SlotSite& site : network.slots()) {
    const std::vector<int> widths = kinds_.plan.possible(site);
    if (widths.empty()) continue;
    for (TensorSpec& tensor : kinds_.of(site).tensors(network, site, widths)) own.push_back(std::move(tensor));
  }
  return own;
}

void FakeQuantizers::initialize(const Network& network, const Layout& layout, std::span<float> values) const {
  for (const SlotSite& site : network.slots()) {
    const std::vector<int> widths = kinds_.plan.possible(site);
    if (!widths.empty()) kinds_.of(site).initialize(layout, site, widths, values);
  }
}

std::unique_ptr<SlotProgram> FakeQuantizers::make_program(std::shared_ptr<const Network> network,
                                                          std::shared_ptr<const Layout> layout, Passes passes) const {
  return std::make_unique<FakeProgram>(kinds_, *network, std::move(layout), passes);
}

std::vector<Range> FakeQuantizers::activation_ranges(const Network& network, const Parameters& parameters) const {
  std::vector<Range> ranges;
  for (const SlotSite& site : network.slots()) {
    const std::vector<int> widths = kinds_.plan.possible(site);
    if (site.kind == SlotKind::kActivation && !widths.empty())
      ranges.push_back(kinds_.activations->range(*parameters.layout, site, widths, parameters.values));
  }
  return ranges;
}

}  // namespace anybit
