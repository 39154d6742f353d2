#pragma once

#include <string>
#include <vector>

#include "quant/model_quantizer.h"
#include "scenarios/scenario.h"
#include "wire/training_plan.h"

namespace anybit {

/// The points of a grid, in the order of the lists: weights outermost, granularity innermost. Points that are the same
/// appear once.
std::vector<GridPoint> grid_points(const EvaluationGrid& grid);

/// Whether both name the same measurement. At 32 bits range and granularity of the weights do not matter; activations
/// of fewer bits still are either the method's own (kTrainedRange) or of a range for all methods.
bool same_point(const GridPoint& a, const GridPoint& b);

/// Whether the point's activations need ranges: of training, or calibrated.
bool needs_ranges(const GridPoint& point);

/// Why a model that was trained so cannot be asked about a point, in a user's words: training left no steps, or no
/// quantizers, for it. "" where it can.
std::string point_mismatch(const NetworkPlan& trained, const GridPoint& point);

}  // namespace anybit
