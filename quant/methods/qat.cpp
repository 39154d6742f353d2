#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"

namespace anybit {

MethodTable::Row qat_row() {
  RowInfo info;
  info.name = "qat";
  info.help =
      "quantized weights in the forward pass at one width, clipped straight-through gradient. The paper's claim"
      " is a quantizer at a target width; grid, ranges and defaults are ours";
  info.paper = "Gupta et al., Quantization Robust Federated Learning, TMLR 2023";
  info.options = quantizer_options({"width", std::int64_t{2}});
  info.options.insert(info.options.begin(), {width_option(), rounding_option()});
  info.neutral = {"fedavg", {{"width", std::int64_t{32}}}, {}, ""};
  return {info, [](const Options& options) {
            return quantizing_method("qat", "step",
                                     read_quantizer_options(options, {read_width(options, "width", false)}));
          }};
}

}  // namespace anybit
