#pragma once

#include <memory>
#include <string>
#include <vector>

#include "quant/schedules/width_plan.h"

namespace anybit {

/// When the weights' width is drawn anew, uniformly from the plan's widths (specs A 1.5):
///   "step"          every local step, one width for all layers
///   "step_layer"    every local step, independently per layer
///   "client_round"  once per client and round
///   "round"         once per round, the same for the whole cohort
///   "device"        once per client for the whole run, from the widths of its fleet class, or from the plan's where
///                   there is no fleet
const std::vector<std::string>& sampling_names();

/// A plan of a single width draws nothing under any name. Throws std::invalid_argument for an unknown name.
std::shared_ptr<const BitSchedule> make_schedule(const std::string& sampling, WidthPlan plan);

}  // namespace anybit
