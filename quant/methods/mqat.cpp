#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"
#include "quant/penalties/kure.h"

namespace anybit {

MethodTable::Row mqat_row() {
  RowInfo info;
  info.name = "mqat";
  info.help =
      "qat at a width drawn anew for every step: one pass serves all widths (the paper's claim). How widths are"
      " drawn, grid, ranges, defaults and the combination with kure are ours";
  info.paper = "Gupta et al., Quantization Robust Federated Learning, TMLR 2023";
  info.options = quantizer_options({"widths", std::vector<std::int64_t>{2}});
  info.options.insert(info.options.begin(),
                      {widths_option(),
                       sampling_option(),
                       {"kure", 0.0, 0.1, "weight of the kurtosis penalty (method kure) beside it; 0: none"},
                       rounding_option()});
  info.neutral = {"fedavg", {{"widths", std::vector<std::int64_t>{32}}}, {}, ""};
  return {info, [](const Options& options) {
            Method method = quantizing_method("mqat", read_sampling(options),
                                              read_quantizer_options(options, read_widths(options, "widths")));
            Kure::Settings kure;
            kure.lambda = options.non_negative("kure");
            if (kure.lambda > 0.0) method.penalty = std::make_shared<const Kure>(kure);
            return method;
          }};
}

}  // namespace anybit
