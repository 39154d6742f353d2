#include "quant/quantizers/slot_quantizer.h"

namespace anybit {

void fill_slot_draws(const SlotSite& site, SlotWidths widths, Purpose purpose, float low, float high,
                     std::span<float> out, const SlotPass& pass) {
  DrawName name = pass.draw;
  name.purpose = purpose;
  name.layer = static_cast<std::uint32_t>(site.slot) | static_cast<std::uint32_t>(widths.weight) << 16U;
  Stream(name).fill_uniform(out, low, high);
}

std::span<const float> tensor_of(const Layout& layout, int index, std::span<const float> buffer) {
  const TensorSpec& spec = layout.tensors()[static_cast<std::size_t>(index)];
  return buffer.subspan(spec.offset, spec.size);
}

std::span<float> tensor_of(const Layout& layout, int index, std::span<float> buffer) {
  const TensorSpec& spec = layout.tensors()[static_cast<std::size_t>(index)];
  return buffer.subspan(spec.offset, spec.size);
}

}  // namespace anybit
