#include "quant/methods/quantizer_options.h"

#include <algorithm>

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

std::shared_ptr<const RangeRule> read_rule(const Options& options) {
  const std::string range = one_of(options, "range", {"minmax", "mse", "percentile", "learned"});
  const double percent = options.number("percentile");
  options.require(percent > 0.0 && percent <= 100.0, "percentile", "must be above 0 and at most 100");
  Options own("range");
  if (range == "percentile") own.set("p", percent);
  return range_rule_table().make({range, own, {}});
}

}  // namespace

std::vector<OptionRow> quantizer_options(const std::pair<std::string, OptionValue>& two_bits) {
  return {
      {"range", "minmax", "mse",
       "fit of the weights' range: minmax (every step), mse or percentile (once a round), learned"},
      {"percentile", 99.9, 90.0, "percent of magnitudes kept by range = \"percentile\"", {{"range", "percentile"}}},
      {"granularity", "tensor", "channel", "one range per weight tensor, or per output channel"},
      {"full_range", false, true, "also use the code -2^(b-1); min-max never reaches it", {{"range", "mse"}, two_bits}},
      {"activations", std::int64_t{32}, std::int64_t{8}, "width of every weighted layer's input; 32 leaves it float"},
      {"activation_momentum",
       0.9,
       0.5,
       "of the moving min-max range of activations",
       {{"activations", std::int64_t{8}}}},
      {"first",
       std::int64_t{0},
       std::int64_t{8},
       "width of the first layer where it is quantized; 0: as the others",
       {two_bits}},
      {"last",
       std::int64_t{0},
       std::int64_t{8},
       "width of the last layer where it is quantized; 0: as the others",
       {two_bits}},
  };
}

OptionRow rounding_option() { return {"rounding", "half_even", "stochastic", "half_even, half_up or stochastic"}; }

OptionRow widths_option() {
  return {"widths", std::vector<std::int64_t>{8, 6, 4, 3, 2}, std::vector<std::int64_t>{4},
          "widths of the weights to train for; 32 is float"};
}

OptionRow sampling_option() {
  return {"sampling", "step", "step_layer",
          "when a width is drawn: step, step_layer, client_round, round, or device (from the fleet class's widths)"};
}

std::string read_sampling(const Options& options) { return one_of(options, "sampling", sampling_names()); }

FakeSettings read_quantizer_options(const Options& options, std::vector<int> widths) {
  FakeSettings settings;
  settings.plan.widths = std::move(widths);
  settings.plan.activations = read_width(options, "activations", false);
  settings.plan.first = read_width(options, "first", true);
  settings.plan.last = read_width(options, "last", true);
  settings.range = options.text("range");
  settings.rule = read_rule(options);
  settings.per_channel = one_of(options, "granularity", {"tensor", "channel"}) == "channel";
  settings.full_range = options.boolean("full_range");
  if (options.has("rounding"))
    settings.rounding = rounding_from(one_of(options, "rounding", {"half_even", "half_up", "stochastic"}));
  const double momentum = options.number("activation_momentum");
  options.require(momentum >= 0.0 && momentum < 1.0, "activation_momentum", "must be at least 0 and below 1");
  settings.activation_momentum = static_cast<float>(momentum);
  return settings;
}

Method quantizing_method(std::string name, const std::string& sampling, FakeSettings settings) {
  Method method;
  method.name = std::move(name);
  method.schedule = make_schedule(sampling, settings.plan);
  method.has_activation_ranges = settings.plan.activations != kFloatWidth;
  method.quantizers = std::make_shared<const FakeQuantizers>(std::move(settings));
  return method;
}

}  // namespace anybit
