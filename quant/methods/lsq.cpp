#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"
#include "quant/quantizers/learned_step_activations.h"

namespace anybit {

MethodTable::Row lsq_row() {
  RowInfo info;
  info.name = "lsq";
  info.help =
      "weights and activations at one width each, on grids whose steps are learned with the paper's gradient and its"
      " scale. Ours: narrow codes of the weights, log2 steps, first steps of activations as for normal numbers";
  info.paper = "Esser et al., Learned Step Size Quantization, ICLR 2020";
  info.options = learned_step_options({"width", std::int64_t{2}});
  info.options.insert(info.options.begin(),
                      {"width", std::int64_t{4}, std::int64_t{2}, "width of the weights; 32 is float"});
  info.neutral = {"qat", {{"activations", std::int64_t{32}}}, {{"range", "learned"}}, ""};
  return {info, [](const Options& options) {
            return quantizing_method("lsq", "step", read_plan(options, {read_width(options, "width", false)}),
                                     read_learned_weights(options), learned_step_activations({}));
          }};
}

}  // namespace anybit
