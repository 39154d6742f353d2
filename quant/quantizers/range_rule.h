#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "quant/grids/uniform.h"
#include "scenarios/table.h"

namespace anybit {

/// Room that a fit needs, owned by the caller and re-used from fit to fit.
struct FitScratch {
  std::vector<float> values;
  std::vector<std::uint32_t> counts;
  /// Grows the room to what the largest tensor needs, so that later fits allocate nothing.
  void reserve(std::size_t largest_tensor);
};

/// What a symmetric grid is wanted for.
struct FitRequest {
  int bits = 8;
  bool full_range = false;
  std::optional<float> log2_step;  // of the tensor's learned step at these bits, where the parameters hold one
};

/// How a symmetric grid is fitted to the numbers of one group (a tensor or a channel). A fit is a function of the
/// values alone: same values, same grid. Groups that are all zero get a grid that passes through.
class RangeRule {
 public:
  virtual ~RangeRule() = default;
  /// Throws std::invalid_argument where the rule needs a learned step and the request has none.
  virtual UniformGrid fit(std::span<const float> values, const FitRequest& request, FitScratch& scratch) const = 0;
};

using RangeRuleTable = Table<std::unique_ptr<RangeRule>>;
/// minmax, mse, percentile, learned.
const RangeRuleTable& range_rule_table();

/// Fits every group of a tensor: one where grids.channels() is 1, else its channels (see TensorSpec). `log2_steps` has
/// one value a group, or none.
void fit_groups(const RangeRule& rule, std::span<const float> values, int channel_stride, FitRequest request,
                std::span<const float> log2_steps, FitScratch& scratch, ChannelGrids& grids);

/// The min-max rule over all groups at once, in one vectorised pass: the same grids as fit_groups with "minmax".
void fit_minmax(std::span<const float> values, int channel_stride, int bits, bool full_range, FitScratch& scratch,
                ChannelGrids& grids);

/// Sum of (Q(x) - x)^2 over the values, half-even; in a fixed order of additions.
double squared_error(const UniformGrid& grid, std::span<const float> values);

}  // namespace anybit
