#pragma once

#include <utility>
#include <vector>

#include "quant/method.h"
#include "quant/quantizers/grid_weights.h"
#include "quant/quantizers/learned_step_activations.h"
#include "quant/quantizers/moving_range.h"
#include "quant/schedules/width_plan.h"

namespace anybit {

/// Whether a method has a gradient for a learned step, and so offers range = "learned".
enum class StepGradients { kYes, kNo };

/// Options that the quantizing methods share: range, percentile, granularity, full_range, activations,
/// activation_momentum, first, last. `two_bits` is the setting that makes the method train at 2 bits, where an option's
/// alternative would not show at the default width.
std::vector<OptionRow> quantizer_options(const std::pair<std::string, OptionValue>& two_bits,
                                         StepGradients steps = StepGradients::kYes);

/// Those of lsq and lsqplus: width, granularity, activations, first, last; and the method that they make.
std::vector<OptionRow> learned_step_options();
Method learned_step_method(std::string name, const Options& options, LearnedStepActivations activations);

/// "rounding", for methods that round.
OptionRow rounding_option();

/// "width", 4.
OptionRow width_option();

/// "widths", [8, 6, 4, 3, 2].
OptionRow widths_option();

/// "sampling": when a width is drawn (make_schedule).
OptionRow sampling_option();
std::string read_sampling(const Options& options);

/// What the options say of a method's quantizers.
struct QuantizerSettings {
  WidthPlan plan;
  WeightGrids weights;
  MovingRange activations;
};

/// What the resolved options say about the weights' widths `widths`. ScenarioError for values that do not fit.
QuantizerSettings read_quantizer_options(const Options& options, std::vector<int> widths,
                                         StepGradients steps = StepGradients::kYes);

/// A method with these quantizers and the schedule `sampling` (see make_schedule).
Method quantizing_method(std::string name, const std::string& sampling, QuantizerSettings settings);

}  // namespace anybit
