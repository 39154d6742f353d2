#include "quant/model_quantizer.h"

#include <algorithm>
#include <stdexcept>

#include "quant/grids/extremes.h"
#include "quant/quantizers/fake_quantizers.h"
#include "quant/quantizers/learned_step.h"
#include "quant/quantizers/range_rule.h"
#include "quant/schedules/width_plan.h"

namespace anybit {
namespace {

WidthPlan plan_of(const GridPoint& point) { return {{point.weights}, point.activations, point.first, point.last}; }

void check_width(int bits, const char* what) {
  if (bits == kFloatWidth || (bits >= kSmallestWidth && bits <= kLargestWidth)) return;
  throw std::invalid_argument(std::string(what) + " = " + std::to_string(bits) + ": must be 32 or 2 to 16 bits");
}

bool per_channel(const GridPoint& point) {
  if (point.granularity == "channel") return true;
  if (point.granularity == "tensor") return false;
  throw std::invalid_argument("unknown granularity '" + point.granularity + "'; known: tensor, channel");
}

// log2 of the step that training left for this weight and width, one value a group; throws where there is none.
std::span<const float> learned_steps(const Parameters& parameters, const TensorSpec& weight, int width, int groups) {
  const std::string name = step_tensor_name(weight.name, width);
  const auto& tensors = parameters.layout->tensors();
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const TensorSpec& t) { return t.name == name; });
  if (found == tensors.end())
    throw std::invalid_argument("range rule 'learned': the model holds no learned step of " + weight.name + " at " +
                                std::to_string(width) + " bits; train with range = \"learned\" and this width");
  if (static_cast<int>(found->size) != groups)
    throw std::invalid_argument("range rule 'learned': " + name + " was learned per " +
                                (found->size == 1 ? "tensor" : "channel") + "; evaluate it at that granularity");
  return std::span<const float>(parameters.values).subspan(found->offset, found->size);
}

// Quantizes the live rows' values with the grid of their slot; weights and float slots are left alone.
class ActivationQuantizer final : public SlotFunction {
 public:
  explicit ActivationQuantizer(std::vector<ChannelGrids> grids) : grids_(std::move(grids)) {}

  bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass&) override {
    if (site.kind != SlotKind::kActivation || grid(site).at(0).passes_through()) return false;
    quantize(grid(site), 1, Rounding::kHalfEven, before, {}, after);
    return true;
  }
  void backward(const SlotSite& site, std::span<const float> before, std::span<const float>, std::span<float> gradient,
                SlotPass&) override {
    mask_clipped(grid(site), 1, before, gradient);
  }

 private:
  const ChannelGrids& grid(const SlotSite& site) const { return grids_[static_cast<std::size_t>(site.layer)]; }
  std::vector<ChannelGrids> grids_;
};

}  // namespace

Parameters quantize_weights(const Network& network, const Parameters& parameters, const GridPoint& point) {
  check_width(point.weights, "weights");
  if (point.first != 0) check_width(point.first, "first");
  if (point.last != 0) check_width(point.last, "last");
  const bool channels = per_channel(point);
  const auto rule = range_rule_table().make({point.range, Options("evaluate.range"), {}});
  const WidthPlan plan = plan_of(point);
  Parameters quantized = parameters;
  FitScratch scratch;
  for (const SlotSite& site : network.slots()) {
    if (site.kind != SlotKind::kWeight) continue;
    const int width = plan.width_of(site, point.weights);
    if (width == kFloatWidth) continue;
    const TensorSpec& weight = parameters.layout->tensors()[static_cast<std::size_t>(site.tensor)];
    ChannelGrids grids(channels ? site.channels : 1);
    std::span<const float> steps;
    if (point.range == "learned") steps = learned_steps(parameters, weight, width, grids.channels());
    const std::span<const float> before = parameters.tensor(site.tensor);
    fit_groups(*rule, before, site.channel_stride, {width, false, {}}, steps, scratch, grids);
    quantize(grids, site.channel_stride, Rounding::kHalfEven, before, {}, quantized.tensor(site.tensor));
  }
  return quantized;
}

std::vector<Range> trained_ranges(const Network& network, const Parameters& parameters) {
  std::vector<Range> ranges;
  const auto& tensors = parameters.layout->tensors();
  for (const SlotSite& site : network.slots()) {
    if (site.kind != SlotKind::kActivation) continue;
    const std::string name = range_tensor_name(site);
    const auto found =
        std::find_if(tensors.begin(), tensors.end(), [&](const TensorSpec& t) { return t.name == name; });
    if (found == tensors.end()) return {};
    ranges.push_back({parameters.values[found->offset], parameters.values[found->offset + 1]});
  }
  return ranges;
}

std::unique_ptr<SlotFunction> make_activation_quantizer(const Network& network, std::vector<Range> ranges,
                                                        const GridPoint& point) {
  check_width(point.activations, "activations");
  if (point.first != 0) check_width(point.first, "first");
  if (point.last != 0) check_width(point.last, "last");
  const WidthPlan plan = plan_of(point);
  std::vector<ChannelGrids> grids;
  for (const SlotSite& site : network.slots()) {
    if (site.kind != SlotKind::kActivation) continue;
    const int width = plan.width_of(site, point.weights);
    const Range range = ranges.at(static_cast<std::size_t>(site.layer));
    // A grid that was never set passes everything through.
    ChannelGrids& grid = grids.emplace_back();
    if (width != kFloatWidth) grid.set(0, asymmetric_grid(range.low, range.high, width));
  }
  return std::make_unique<ActivationQuantizer>(std::move(grids));
}

RangeObserver::RangeObserver(const Network& network) : ranges_(network.weighted_layers().size()) {}

bool RangeObserver::forward(const SlotSite& site, std::span<const float> before, std::span<float>, SlotPass&) {
  if (site.kind != SlotKind::kActivation) return false;
  const Extremes seen = extremes_with_zero(before);
  Range& range = ranges_[static_cast<std::size_t>(site.layer)];
  range = {std::min(range.low, seen.low), std::max(range.high, seen.high)};
  return false;
}

void RangeObserver::backward(const SlotSite&, std::span<const float>, std::span<const float>, std::span<float>,
                             SlotPass&) {}

const std::vector<RowInfo>& range_rules() {
  static const std::vector<RowInfo> rows = range_rule_table().infos();
  return rows;
}

}  // namespace anybit
