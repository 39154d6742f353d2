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

  FitTiming timing() const override { return FitTiming::kEveryStep; }

  void fit_groups(std::span<const float> values, int channel_stride, FitRequest request, std::span<const float>,
                  FitScratch& scratch, ChannelGrids& grids) const override {
    const auto channels = static_cast<std::size_t>(grids.channels());
    if (scratch.values.size() < channels) scratch.values.resize(channels);
    const std::span<float> magnitudes = std::span(scratch.values).first(channels);
    channel_magnitudes(values, channel_stride, magnitudes);
    for (std::size_t c = 0; c < channels; ++c)
      grids.set(static_cast<int>(c), symmetric_grid_for(magnitudes[c], request.bits, request.full_range));
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
