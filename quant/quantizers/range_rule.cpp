#include "quant/quantizers/range_rule.h"

#include <algorithm>

#include "quant/quantizers/mse.h"
#include "quant/quantizers/rows.h"

namespace anybit {

const RangeRuleTable& range_rule_table() {
  static const RangeRuleTable table("quantizer", {minmax_rule(), mse_rule(), percentile_rule(), learned_rule()});
  return table;
}

void FitScratch::reserve(std::size_t largest_tensor) {
  if (values.size() < largest_tensor) values.resize(largest_tensor);
  if (counts.size() < kHistogramBins) counts.resize(kHistogramBins);
}

std::vector<std::string> range_rule_names() {
  std::vector<std::string> names;
  for (const auto& row : range_rule_table().rows()) names.push_back(row.info.name);
  return names;
}

std::unique_ptr<RangeRule> make_range_rule(const std::string& name, double percentile) {
  Part part{name, Options("range"), {"range", 0}};
  for (const OptionRow& option : range_rule_table().row(part).info.options)
    if (option.name == "p") part.options.set("p", percentile);
  return range_rule_table().make(part);
}

void RangeRule::fit_groups(std::span<const float> values, int channel_stride, FitRequest request,
                           std::span<const float> log2_steps, FitScratch& scratch, ChannelGrids& grids) const {
  const auto channels = static_cast<std::size_t>(grids.channels());
  const auto stride = static_cast<std::size_t>(channel_stride);
  // The second half is the rules' own room.
  scratch.reserve_for_groups(values.size());
  for (std::size_t c = 0; c < channels; ++c) {
    if (!log2_steps.empty()) request.log2_step = log2_steps[c];
    if (channels == 1) {
      grids.set(0, fit(values, request, scratch));
      return;
    }
    const std::span<float> group = std::span(scratch.values).subspan(values.size());
    std::size_t n = 0;
    for (std::size_t begin = c * stride; begin < values.size(); begin += channels * stride)
      for (std::size_t i = begin; i < std::min(begin + stride, values.size()); ++i) group[n++] = values[i];
    grids.set(static_cast<int>(c), fit(group.first(n), request, scratch));
  }
}

double squared_error(const UniformGrid& grid, std::span<const float> values) {
  if (grid.passes_through()) return 0.0;
  constexpr std::size_t kLanes = 16;
  constexpr std::size_t kBlock = 1024;
  const float scale = grid.scale;
  const float inverse = 1.0F / scale;
  const auto low = static_cast<float>(grid.low - grid.zero_point);
  const auto high = static_cast<float>(grid.high - grid.zero_point);
  const auto error = [&](float x) {
    const float code = grid_code<Rounding::kHalfEven>(x, inverse, grid.offset, low, high);
    const float difference = grid_value(code, scale, grid.offset) - x;
    return difference * difference;
  };
  double total = 0;
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    const std::span<const float> block = values.subspan(begin, std::min(kBlock, values.size() - begin));
    const float* x = block.data();
    float lanes[kLanes] = {};
    std::size_t i = 0;
    for (; i + kLanes <= block.size(); i += kLanes)
      for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += error(x[i + lane]);
    for (; i < block.size(); ++i) lanes[i % kLanes] += error(x[i]);
    for (const float lane : lanes) total += static_cast<double>(lane);
  }
  return total;
}

}  // namespace anybit
