#include "quant/grids/extremes.h"
#include "quant/quantizers/rows.h"

namespace anybit {
namespace {

// The largest code stands for the largest magnitude: nothing is clipped.
class MinMax final : public RangeRule {
 public:
  UniformGrid fit(std::span<const float> values, const FitRequest& request, FitScratch&) const override {
    return symmetric_grid_for(largest_magnitude(values), request.bits, request.full_range);
  }
};

}  // namespace

RangeRuleTable::Row minmax_rule() {
  RowInfo info;
  info.name = "minmax";
  info.help = "the largest code stands for the largest magnitude; no clipping, sensitive to outliers";
  info.neutral.reason = "a range always has a width";
  return {info, [](const Options&) { return std::make_unique<MinMax>(); }};
}

}  // namespace anybit
