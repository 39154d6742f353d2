#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
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
  /// The same for fit_groups().
  void reserve_for_groups(std::size_t largest_tensor) { reserve(2 * largest_tensor); }
  std::size_t bytes() const { return values.size() * sizeof(float) + counts.size() * sizeof(std::uint32_t); }
};

/// What a symmetric grid is wanted for.
struct FitRequest {
  int bits = 8;
  bool full_range = false;
  std::optional<float> log2_step;  // of the tensor's learned step at these bits, where the parameters hold one
};

/// When training fits a rule's grids.
enum class FitTiming : std::uint8_t {
  kEveryStep,   // to the weights as they are; such a grid covers them all, so nothing clips
  kEveryRound,  // to the received weights, once per client and width
  kLearned,     // never: a tensor of the parameters holds log2 of the step, and training moves it
};

/// How a symmetric grid is fitted to the numbers of one group (a tensor or a channel). A fit is a function of the
/// values alone: same values, same grid. Groups that are all zero get a grid that passes through.
class RangeRule {
 public:
  virtual ~RangeRule() = default;
  /// Throws std::invalid_argument where the rule needs a learned step and the request has none.
  virtual UniformGrid fit(std::span<const float> values, const FitRequest& request, FitScratch& scratch) const = 0;
  virtual FitTiming timing() const { return FitTiming::kEveryRound; }
  /// Fits every group of a tensor: one where grids.channels() is 1, else its channels (see TensorSpec). `log2_steps`
  /// has one value a group, or none. A rule that can look at all groups at once overrides this, with the same grids.
  virtual void fit_groups(std::span<const float> values, int channel_stride, FitRequest request,
                          std::span<const float> log2_steps, FitScratch& scratch, ChannelGrids& grids) const;
};

using RangeRuleTable = Table<std::unique_ptr<RangeRule>>;
/// minmax, mse, percentile, learned.
const RangeRuleTable& range_rule_table();

/// The table's names, in its order.
std::vector<std::string> range_rule_names();
/// The rule of that name; `percentile` goes to the one that takes a percentage. ScenarioError for an unknown name.
std::unique_ptr<RangeRule> make_range_rule(const std::string& name, double percentile);

/// Sum of (Q(x) - x)^2 over the values, half-even; in a fixed order of additions.
double squared_error(const UniformGrid& grid, std::span<const float> values);

}  // namespace anybit
