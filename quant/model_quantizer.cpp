#include "quant/model_quantizer.h"

#include <algorithm>
#include <stdexcept>

#include "quant/grids/extremes.h"
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

const TensorSpec* find_tensor(const Layout& layout, const std::string& name) {
  const auto& tensors = layout.tensors();
  const auto found = std::find_if(tensors.begin(), tensors.end(), [&](const TensorSpec& t) { return t.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

// Of one weight; see learned_mismatch().
std::string step_mismatch(const Layout& layout, const std::string& weight, int width, int groups) {
  const std::string name = step_tensor_name(weight, width);
  const TensorSpec* step = find_tensor(layout, name);
  if (step == nullptr)
    return "range rule 'learned': the model holds no learned step of " + weight + " at " + std::to_string(width) +
           " bits; train with range = \"learned\" and this width";
  if (static_cast<int>(step->size) != groups)
    return "range rule 'learned': " + name + " was learned per " + (step->size == 1 ? "tensor" : "channel") +
           "; evaluate it at that granularity";
  return "";
}

// log2 of the step that training left for this weight and width, one value a group; throws where there is none.
std::span<const float> learned_steps(const Parameters& parameters, const std::string& weight, int width, int groups) {
  const std::string mismatch = step_mismatch(*parameters.layout, weight, width, groups);
  if (!mismatch.empty()) throw std::invalid_argument(mismatch);
  return parameters.tensor(parameters.layout->index(step_tensor_name(weight, width)));
}

// Calls visit(site, width, groups) for every weight that a point quantizes.
template <class Visit>
void each_quantized_weight(const Network& network, const GridPoint& point, const Visit& visit) {
  const WidthPlan plan = plan_of(point);
  const bool channels = per_channel(point);
  for (const SlotSite& site : network.slots()) {
    if (site.kind != SlotKind::kWeight) continue;
    const int width = plan.width_of(site, point.weights);
    if (width != kFloatWidth) visit(site, width, channels ? site.channels : 1);
  }
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

std::size_t quantizing_bytes(const Network& network, const GridPoint& point) {
  if (make_range_rule(point.range, point.fit.percentile)->timing() == FitTiming::kEveryStep) return 0;
  std::size_t largest = 0;
  each_quantized_weight(network, point,
                        [&](const SlotSite& site, int, int) { largest = std::max(largest, site.size); });
  FitScratch scratch;
  scratch.reserve_for_groups(largest);
  return scratch.bytes();
}

Parameters quantize_weights(const Network& network, const Parameters& parameters, const GridPoint& point) {
  check_width(point.weights, "weights");
  if (point.first != 0) check_width(point.first, "first");
  if (point.last != 0) check_width(point.last, "last");
  const auto rule = make_range_rule(point.range, point.fit.percentile);
  Parameters quantized = parameters;
  FitScratch scratch;
  each_quantized_weight(network, point, [&](const SlotSite& site, int width, int groups) {
    ChannelGrids grids(groups);
    std::span<const float> steps;
    if (rule->timing() == FitTiming::kLearned) steps = learned_steps(parameters, site.name, width, groups);
    const std::span<const float> before = parameters.tensor(site.tensor);
    rule->fit_groups(before, site.channel_stride, {width, point.fit.full_range, {}}, steps, scratch, grids);
    quantize(grids, site.channel_stride, Rounding::kHalfEven, before, {}, quantized.tensor(site.tensor));
  });
  return quantized;
}

std::vector<std::uint8_t> slot_widths(const Network& network, const GridPoint& point) {
  std::vector<std::uint8_t> widths(network.slots().size());
  plan_of(point).fill(point.weights, widths);
  return widths;
}

std::string trained_mismatch(const Method& method, const std::shared_ptr<const Network>& network,
                             const std::shared_ptr<const Layout>& layout, const GridPoint& point) {
  if (!asks_method(point)) return "";
  const std::string start = std::string("range rule '") + kTrainedRange + "': ";
  if (!method.quantizers)
    return start + "method '" + method.name +
           "' has no quantizers; choose another range rule, or train with one that has";
  try {
    method.quantizers->make_program(network, layout, Passes::kEvaluation)->begin_step(slot_widths(*network, point), {});
  } catch (const std::invalid_argument& missing) {
    return start + missing.what();
  }
  return "";
}

std::string learned_mismatch(const Layout& layout, const Network& network, const GridPoint& point) {
  if (is_trained(point) || make_range_rule(point.range, point.fit.percentile)->timing() != FitTiming::kLearned)
    return "";
  std::string first;
  each_quantized_weight(network, point, [&](const SlotSite& site, int width, int groups) {
    if (first.empty()) first = step_mismatch(layout, site.name, width, groups);
  });
  return first;
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
  static const std::vector<RowInfo> rows = [] {
    std::vector<RowInfo> all = range_rule_table().infos();
    RowInfo& trained = all.emplace_back();
    trained.name = kTrainedRange;
    trained.help = "the quantizers of the method that trained the model, at widths that it trained";
    trained.neutral.reason = "a range always has a width";
    return all;
  }();
  return rows;
}

}  // namespace anybit
