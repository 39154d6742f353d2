#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"

namespace anybit {

MethodTable::Row lsq_row() {
  RowInfo info;
  info.name = "lsq";
  info.help =
      "weights and activations at one width each, on grids whose steps are learned with the paper's gradient and its"
      " scale. Ours: narrow codes of the weights, log2 steps, first steps of activations as for normal numbers";
  info.paper = "Esser et al., Learned Step Size Quantization, ICLR 2020";
  info.options = learned_step_options();
  info.neutral = {"qat", {{"activations", std::int64_t{32}}}, {{"range", "learned"}}, ""};
  return {info, [](const Options& options) { return learned_step_method("lsq", options, {}); }};
}

}  // namespace anybit
