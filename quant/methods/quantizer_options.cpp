#include "quant/methods/quantizer_options.h"

#include <algorithm>

#include "quant/quantizers/fake_quantizers.h"
#include "quant/schedules/schedule.h"

namespace anybit {
namespace {

std::string one_of(const Options& options, const std::string& key, const std::vector<std::string>& known) {
  const std::string& value = options.text(key);
  std::string accepted;
  for (const std::string& name : known) accepted += (accepted.empty() ? "" : ", ") + name;
  options.require(std::find(known.begin(), known.end(), value) != known.end(), key,
                  "unknown value '" + value + "'; known: " + accepted);
  return value;
}

std::shared_ptr<const RangeRule> read_rule(const Options& options, StepGradients steps) {
  const double percent = options.number("percentile");
  options.require(percent > 0.0 && percent <= 100.0, "percentile", "must be above 0 and at most 100");
  std::vector<std::string> offered = range_rule_names();
  if (steps == StepGradients::kNo) std::erase(offered, "learned");
  return make_range_rule(one_of(options, "range", offered), percent);
}

// A device's width that the method has learned no step for, at some layer; else "".
std::string width_without_step(const WidthPlan& plan, const Network& network, std::span<const int> device_widths) {
  for (const int drawn : device_widths)
    for (const SlotSite& site : network.slots()) {
      const int width = plan.width_of(site, drawn);
      if (site.kind != SlotKind::kWeight || width == kFloatWidth) continue;
      const std::vector<int> learned = plan.possible(site);
      if (std::find(learned.begin(), learned.end(), width) == learned.end())
        return "sampling = \"device\" trains at the fleet's width " + std::to_string(drawn) +
               ", for which range = \"learned\" has no step; add it to `widths`, or choose another range";
    }
  return "";
}

bool reads_channels(const Options& options) {
  return one_of(options, "granularity", {"tensor", "channel"}) == "channel";
}

OptionRow granularity_option() {
  return {"granularity", "tensor", "channel", "one range per weight tensor, or per output channel"};
}

OptionRow activations_option() {
  return {"activations", std::int64_t{32}, std::int64_t{8},
          "width of every weighted layer's input; 32 leaves it float"};
}

std::vector<OptionRow> end_options(const std::pair<std::string, OptionValue>& two_bits) {
  return {{"first",
           std::int64_t{0},
           std::int64_t{8},
           "width of the first layer where it is quantized; 0: as the others",
           {two_bits}},
          {"last",
           std::int64_t{0},
           std::int64_t{8},
           "width of the last layer where it is quantized; 0: as the others",
           {two_bits}}};
}

// "activations", "first" and "last", beside the weights' widths.
WidthPlan read_plan(const Options& options, std::vector<int> widths) {
  return {std::move(widths), read_width(options, "activations", false), read_width(options, "first", true),
          read_width(options, "last", true)};
}

Method quantizing_method(std::string name, const std::string& sampling, WidthPlan plan, WeightGrids weights,
                         std::shared_ptr<const SlotQuantizerKind> activations) {
  Method method;
  method.name = std::move(name);
  method.schedule = make_schedule(sampling, plan);
  method.has_activation_ranges = plan.activations != kFloatWidth;
  method.weight_fit = weights.fit;
  if (sampling == "device" && weights.rule->timing() == FitTiming::kLearned)
    method.refuse = [plan](const Network& network, std::span<const int> device_widths) {
      return width_without_step(plan, network, device_widths);
    };
  method.quantizers = std::make_shared<const FakeQuantizers>(
      FakeQuantizers::Kinds{std::move(plan), grid_weights(std::move(weights)), std::move(activations)});
  return method;
}

}  // namespace

std::vector<OptionRow> quantizer_options(const std::pair<std::string, OptionValue>& two_bits, StepGradients steps) {
  const std::string learned = steps == StepGradients::kYes ? ", learned" : "";
  std::vector<OptionRow> options = {
      {"range", "minmax", "mse",
       "fit of the weights' range: minmax (every step), mse or percentile (once a round)" + learned},
      {"percentile", 99.9, 90.0, "percent of magnitudes kept by range = \"percentile\"", {{"range", "percentile"}}},
      granularity_option(),
      {"full_range", false, true, "also use the code -2^(b-1); min-max never reaches it", {{"range", "mse"}, two_bits}},
      activations_option(),
      {"activation_momentum",
       0.9,
       0.5,
       "of the moving min-max range of activations",
       {{"activations", std::int64_t{8}}}}};
  for (OptionRow& option : end_options(two_bits)) options.push_back(std::move(option));
  return options;
}

std::vector<OptionRow> learned_step_options() {
  std::vector<OptionRow> options = {width_option(), granularity_option(), activations_option()};
  for (OptionRow& option : end_options({"width", std::int64_t{2}})) options.push_back(std::move(option));
  return options;
}

OptionRow rounding_option() { return {"rounding", "half_even", "stochastic", "half_even, half_up or stochastic"}; }

OptionRow width_option() { return {"width", std::int64_t{4}, std::int64_t{2}, "width of the weights; 32 is float"}; }

OptionRow widths_option() {
  return {"widths", std::vector<std::int64_t>{8, 6, 4, 3, 2}, std::vector<std::int64_t>{4},
          "widths of the weights to train for; 32 is float"};
}

OptionRow sampling_option() {
  return {"sampling", "step", "step_layer",
          "when a width is drawn: step, step_layer, client_round, round, or device (each client's own for the whole"
          " run, from its fleet class's widths)"};
}

std::string read_sampling(const Options& options) { return one_of(options, "sampling", sampling_names()); }

QuantizerSettings read_quantizer_options(const Options& options, std::vector<int> widths, StepGradients steps) {
  QuantizerSettings settings;
  settings.plan = read_plan(options, std::move(widths));
  settings.weights.rule = read_rule(options, steps);
  settings.weights.per_channel = reads_channels(options);
  settings.weights.fit = {options.boolean("full_range"), options.number("percentile")};
  if (options.has("rounding"))
    settings.weights.rounding = rounding_from(one_of(options, "rounding", {"half_even", "half_up", "stochastic"}));
  const double momentum = options.number("activation_momentum");
  options.require(momentum >= 0.0 && momentum < 1.0, "activation_momentum", "must be at least 0 and below 1");
  settings.activations = {static_cast<float>(momentum), settings.weights.rounding};
  return settings;
}

Method learned_step_method(std::string name, const Options& options, LearnedStepActivations activations) {
  WeightGrids weights;
  weights.rule = make_range_rule("learned", weights.fit.percentile);
  weights.per_channel = reads_channels(options);
  return quantizing_method(std::move(name), "step", read_plan(options, {read_width(options, "width", false)}),
                           std::move(weights), learned_step_activations(activations));
}

Method quantizing_method(std::string name, const std::string& sampling, QuantizerSettings settings) {
  return quantizing_method(std::move(name), sampling, std::move(settings.plan), std::move(settings.weights),
                           moving_range_activations(settings.activations));
}

}  // namespace anybit
