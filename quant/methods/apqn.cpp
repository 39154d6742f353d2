#include "quant/methods/quantizer_options.h"
#include "quant/methods/rows.h"

namespace anybit {

MethodTable::Row apqn_row() {
  RowInfo info;
  info.name = "apqn";
  info.help =
      "weights plus uniform noise of one quantization step, gradient passed through; no learned step, for which"
      " noise has no gradient. The paper's variant by name; one width or several, ranges and defaults are ours";
  info.paper = "Gupta et al., Quantization Robust Federated Learning, TMLR 2023";
  info.options = quantizer_options({"widths", std::vector<std::int64_t>{2}}, StepGradients::kNo);
  info.options.insert(info.options.begin(), {widths_option(), sampling_option()});
  info.neutral = {"fedavg", {{"widths", std::vector<std::int64_t>{32}}}, {}, ""};
  return {info, [](const Options& options) {
            QuantizerSettings settings =
                read_quantizer_options(options, read_widths(options, "widths"), StepGradients::kNo);
            settings.weights.noise = true;
            return quantizing_method("apqn", read_sampling(options), std::move(settings));
          }};
}

}  // namespace anybit
