#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"

namespace anybit {

MethodTable::Row lsqplus_row() {
  RowInfo info;
  info.name = "lsqplus";
  info.help =
      "lsq whose activations also learn an offset, for those that go below zero. Ours: the offset becomes a whole zero"
      " point, so that zero stays a level; it begins where lsq has its zero";
  info.paper = "Bhalgat et al., LSQ+: Improving low-bit quantization through learnable offsets, CVPR Workshops 2020";
  info.options = learned_step_options();
  info.neutral = {"lsq", {{"activations", std::int64_t{32}}}, {{"activations", std::int64_t{32}}}, ""};
  return {info, [](const Options& options) { return learned_step_method("lsqplus", options, {.offset = true}); }};
}

}  // namespace anybit
