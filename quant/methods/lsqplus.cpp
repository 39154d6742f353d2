#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"
#include "quant/quantizers/learned_step_activations.h"

namespace anybit {

MethodTable::Row lsqplus_row() {
  RowInfo info;
  info.name = "lsqplus";
  info.help =
      "lsq whose activations also learn an offset, for those that go below zero. Ours: the offset becomes a whole zero"
      " point, so that zero stays a level; it begins where lsq has its zero";
  info.paper = "Bhalgat et al., LSQ+: Improving low-bit quantization through learnable offsets, CVPR Workshops 2020";
  info.options = learned_step_options({"width", std::int64_t{2}});
  info.options.insert(info.options.begin(),
                      {"width", std::int64_t{4}, std::int64_t{2}, "width of the weights; 32 is float"});
  info.neutral = {"lsq", {{"activations", std::int64_t{32}}}, {{"activations", std::int64_t{32}}}, ""};
  return {info, [](const Options& options) {
            return quantizing_method("lsqplus", "step", read_plan(options, {read_width(options, "width", false)}),
                                     read_learned_weights(options), learned_step_activations({.offset = true}));
          }};
}

}  // namespace anybit
