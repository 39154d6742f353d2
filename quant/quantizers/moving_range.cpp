#include "quant/quantizers/moving_range.h"

#include "quant/grids/extremes.h"

namespace anybit {
namespace {

class MovingRangeActivations final : public SlotQuantizer {
 public:
  MovingRangeActivations(const MovingRange& settings, const SlotPlace& place)
      : settings_(settings),
        is_evaluation_(place.passes == Passes::kEvaluation),
        layout_(place.layout),
        range_(layout_.index(range_tensor_name(place.site))) {}

  void begin_step(SlotWidths widths, const Moment&) override { widths_ = widths; }

  bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass& pass) override {
    const Extremes batch = extremes_with_zero(before);
    const Extremes range = range_of(batch, pass);
    const UniformGrid grid = asymmetric_grid(range.low, range.high, widths_.own);
    if (grid.passes_through()) return false;
    grids_.set(0, grid);
    clips_ = !never_clips(grid, batch.low, batch.high);
    const Rounding rounding = is_evaluation_ ? Rounding::kHalfEven : settings_.rounding;
    if (rounding == Rounding::kStochastic) fill_slot_draws(site, widths_, Purpose::kRounding, 0.0F, 1.0F, after, pass);
    quantize(grids_, 1, rounding, before, after, after);
    return true;
  }

  void backward(const SlotSite&, std::span<const float> before, std::span<const float>, std::span<float> gradient,
                SlotPass&) override {
    if (clips_) mask_clipped(grids_, 1, before, gradient);
  }

  bool only_clips(PlainStep&) const override { return false; }
  std::size_t bytes() const override { return grids_.bytes(); }

 private:
  Extremes range_of(const Extremes& batch, SlotPass& pass) const {
    if (is_evaluation_ || pass.statistics.empty()) {
      const std::span<const float> stored = tensor_of(layout_, range_, pass.parameters);
      return {stored[0], stored[1]};
    }
    const std::span<float> running = tensor_of(layout_, range_, pass.statistics);
    const float keep = settings_.momentum;
    const bool unset = running[0] == 0.0F && running[1] == 0.0F;
    const Extremes range =
        unset ? batch
              : Extremes{keep * running[0] + (1.0F - keep) * batch.low, keep * running[1] + (1.0F - keep) * batch.high};
    running[0] = range.low;
    running[1] = range.high;
    return range;
  }

  const MovingRange settings_;
  const bool is_evaluation_;
  const Layout& layout_;
  int range_;  // tensor
  SlotWidths widths_;
  ChannelGrids grids_;  // of the last forward pass
  bool clips_ = false;  // in it
};

class MovingRangeKind final : public SlotQuantizerKind {
 public:
  explicit MovingRangeKind(MovingRange settings) : settings_(settings) {}

  std::vector<TensorSpec> tensors(const Network&, const SlotSite& site, std::span<const int>) const override {
    TensorSpec spec;
    spec.name = range_tensor_name(site);
    spec.shape = {2};
    spec.role = Role::kStatistic;
    spec.merge = Merge::kMean;
    spec.group = {0.0F, false};
    return {spec};
  }

  std::unique_ptr<SlotQuantizer> make(const SlotPlace& place) const override {
    return std::make_unique<MovingRangeActivations>(settings_, place);
  }

  Range range(const Layout& layout, const SlotSite& site, std::span<const int>,
              std::span<const float> parameters) const override {
    const std::span<const float> stored = tensor_of(layout, layout.index(range_tensor_name(site)), parameters);
    return {stored[0], stored[1]};
  }

 private:
  MovingRange settings_;
};

}  // namespace

std::string range_tensor_name(const SlotSite& site) { return site.name + ".range"; }

std::shared_ptr<const SlotQuantizerKind> moving_range_activations(MovingRange settings) {
  return std::make_shared<const MovingRangeKind>(settings);
}

}  // namespace anybit
