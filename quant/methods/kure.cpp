#include "quant/penalties/kure.h"

#include <cmath>

#include "quant/methods/rows.h"

namespace anybit {
namespace {

// Without its first and last layer, such a network has nothing left to regularise.
std::string refuse_without_inner_layers(const Network& network, std::span<const int>) {
  const std::size_t layers = network.weighted_layers().size();
  if (layers > 2) return "";
  return "layers = \"inner\" leaves nothing of a network with " + std::to_string(layers) + " weighted layer" +
         (layers == 1 ? "" : "s") + "; take layers = \"all\"";
}

}  // namespace

MethodTable::Row kure_row() {
  RowInfo info;
  info.name = "kure";
  info.help =
      "kurtosis regularisation: weights near-uniform. As in the authors' code: loss, target, mean over layers."
      " Ours: lambda for federated training, which layers, the limit on steep gradients";
  info.paper = "Shkolnik et al., Robust Quantization: One Model to Rule Them All, NeurIPS 2020";
  info.options = {
      {"lambda", 0.1, 1.0, "weight of the penalty"},
      {"target", 1.8, 3.0, "kurtosis aimed at; 1.8 is a uniform distribution's"},
      {"sample_std", false, true, "sigma with n - 1, as the authors' code has it"},
      {"layers", "all", "inner", "all weights, or inner: without the first and last layer, near the authors' choice"},
  };
  info.neutral = {"fedavg", {{"lambda", 0.0}}, {}, ""};
  return {info, [](const Options& options) {
            Kure::Settings settings;
            settings.lambda = options.non_negative("lambda");
            settings.target = options.number("target");
            settings.sample_std = options.boolean("sample_std");
            options.require(std::isfinite(settings.target) && settings.target >= 1.0, "target",
                            "must be finite and at least 1, the smallest kurtosis there is");
            const std::string& layers = options.text("layers");
            options.require(layers == "all" || layers == "inner", "layers", "must be \"all\" or \"inner\"");
            settings.inner_only = layers == "inner";
            Method method;
            method.name = "kure";
            if (settings.lambda > 0.0) method.penalty = std::make_shared<const Kure>(settings);
            if (settings.lambda > 0.0 && settings.inner_only) method.refuse = refuse_without_inner_layers;
            return method;
          }};
}

}  // namespace anybit
