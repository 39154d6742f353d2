#include "quant/quantizers/grid_weights.h"

#include <string>

#include "quant/quantizers/learned_step.h"
#include "quant/quantizers/noise.h"

namespace anybit {
namespace {

bool all_pass_through(const ChannelGrids& grids) { return grids.channels() == 1 && grids.at(0).passes_through(); }

// What all timings share. A derived one leaves the grids of a pass in grids_.
class GridWeights : public SlotQuantizer {
 public:
  GridWeights(const WeightGrids& settings, const SlotPlace& place)
      : settings_(settings), is_evaluation_(place.passes == Passes::kEvaluation) {
    if (settings_.per_channel) grids_.resize(place.site.channels);
  }

  void begin_step(SlotWidths widths, const Moment&) override { widths_ = widths; }

  bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass& pass) final {
    choose_grids(site, before, pass);
    if (all_pass_through(grids_)) return false;
    const Rounding rounding = is_evaluation_ ? Rounding::kHalfEven : settings_.rounding;
    if (settings_.noise && !is_evaluation_) {
      fill_slot_draws(site, widths_, Purpose::kNoise, -0.5F, 0.5F, after, pass);
      add_scaled_noise(grids_, site.channel_stride, before, after);
      return true;
    }
    if (rounding == Rounding::kStochastic) fill_slot_draws(site, widths_, Purpose::kRounding, 0.0F, 1.0F, after, pass);
    quantize(grids_, site.channel_stride, rounding, before, after, after);
    return true;
  }

  void backward(const SlotSite& site, std::span<const float> before, std::span<const float>, std::span<float> gradient,
                SlotPass&) override {
    if (clips()) mask_clipped(grids_, site.channel_stride, before, gradient);
  }

  bool only_clips(PlainStep& step) const override {
    if (!clips()) return true;
    if (grids_.channels() > 1) return false;
    step.clipped = true;
    step.interval = {grids_.offset()[0], grids_.inverse()[0], grids_.low()[0], grids_.high()[0]};
    return true;
  }

  std::size_t bytes() const override { return grids_.bytes(); }

 protected:
  virtual void choose_grids(const SlotSite& site, std::span<const float> weights, const SlotPass& pass) = 0;
  virtual bool clips() const = 0;

  FitRequest request() const { return {widths_.own, settings_.fit.full_range, {}}; }

  const WeightGrids settings_;
  const bool is_evaluation_;
  SlotWidths widths_;
  ChannelGrids grids_;  // of the last forward pass
};

// Fitted in every pass.
class StepGridWeights final : public GridWeights {
 public:
  StepGridWeights(const WeightGrids& settings, const SlotPlace& place)
      : GridWeights(settings, place), scratch_(place.scratch) {
    scratch_.reserve(settings.per_channel ? place.site.size : 1);
  }

 private:
  void choose_grids(const SlotSite& site, std::span<const float> weights, const SlotPass&) override {
    settings_.rule->fit_groups(weights, site.channel_stride, request(), {}, scratch_, grids_);
  }
  bool clips() const override { return false; }

  FitScratch& scratch_;
};

// Fitted to the received weights, once a client and width.
class RoundGridWeights final : public GridWeights {
 public:
  RoundGridWeights(const WeightGrids& settings, const SlotPlace& place)
      : GridWeights(settings, place), layout_(place.layout), tensor_(place.site.tensor), scratch_(place.scratch) {
    fitted_.assign(kArrayByWidth, grids_);
    scratch_.reserve_for_groups(place.site.size);
  }

  void begin_client(std::span<const float> parameters) override {
    const std::span<const float> own = tensor_of(layout_, tensor_, parameters);
    received_.assign(own.begin(), own.end());
    is_fitted_.fill(false);
  }

  std::size_t bytes() const override {
    std::size_t bytes = GridWeights::bytes() + held_bytes(received_, fitted_);
    for (const ChannelGrids& grids : fitted_) bytes += grids.bytes();
    return bytes;
  }

 private:
  void choose_grids(const SlotSite& site, std::span<const float>, const SlotPass&) override {
    const auto width = static_cast<std::size_t>(widths_.own);
    if (!is_fitted_[width])
      settings_.rule->fit_groups(received_, site.channel_stride, request(), {}, scratch_, fitted_[width]);
    is_fitted_[width] = true;
    grids_ = fitted_[width];
  }
  bool clips() const override { return !settings_.noise; }

  const Layout& layout_;
  int tensor_;
  FitScratch& scratch_;
  FloatBuffer received_;
  std::vector<ChannelGrids> fitted_;  // by width
  std::array<bool, kArrayByWidth> is_fitted_{};
};

// LSQ: the steps are parameters.
class LearnedGridWeights final : public GridWeights {
 public:
  LearnedGridWeights(const WeightGrids& settings, const SlotPlace& place)
      : GridWeights(settings, place), name_(place.site.name), layout_(place.layout), scratch_(place.scratch) {
    scratch_.reserve(settings.per_channel ? place.site.size : 1);
    steps_.fill(-1);
    for (const int width : place.widths)
      steps_[static_cast<std::size_t>(width)] = layout_.index(step_tensor_name(place.site.name, width));
  }

  void begin_step(SlotWidths widths, const Moment& moment) override {
    GridWeights::begin_step(widths, moment);
    if (step() < 0) throw no_learned_step(name_, widths.own);
  }

  void mark_trained(std::span<std::uint8_t> tensors) const override { tensors[static_cast<std::size_t>(step())] = 1; }

  void backward(const SlotSite& site, std::span<const float> before, std::span<const float> after,
                std::span<float> gradient, SlotPass& pass) override {
    const double divisor =
        lsq_divisor(before.size() / static_cast<std::size_t>(grids_.channels()), largest_code(widths_.own));
    learned_step_backward(grids_, site.channel_stride, divisor, before, after, gradient,
                          tensor_of(layout_, step(), pass.gradients));
  }

  bool only_clips(PlainStep&) const override { return false; }

 private:
  int step() const { return steps_[static_cast<std::size_t>(widths_.own)]; }
  void choose_grids(const SlotSite& site, std::span<const float>, const SlotPass& pass) override {
    settings_.rule->fit_groups({}, site.channel_stride, request(), tensor_of(layout_, step(), pass.parameters),
                               scratch_, grids_);
  }
  bool clips() const override { return true; }

  const std::string name_;
  const Layout& layout_;
  FitScratch& scratch_;
  std::array<int, kArrayByWidth> steps_{};  // tensor of the learned step at a width; -1: none
};

class GridWeightsKind final : public SlotQuantizerKind {
 public:
  explicit GridWeightsKind(WeightGrids settings) : settings_(std::move(settings)) {}

  std::vector<TensorSpec> tensors(const Network& network, const SlotSite& site,
                                  std::span<const int> widths) const override {
    std::vector<TensorSpec> steps;
    if (settings_.rule->timing() != FitTiming::kLearned) return steps;
    const TensorSpec& weight = network.tensors()[static_cast<std::size_t>(site.tensor)];
    for (const int width : widths) steps.push_back(step_tensor(weight, width, settings_.per_channel));
    return steps;
  }

  void initialize(const Layout& layout, const SlotSite& site, std::span<const int> widths,
                  std::span<float> values) const override {
    if (settings_.rule->timing() != FitTiming::kLearned) return;
    for (const int width : widths)
      initial_log2_steps(tensor_of(layout, site.tensor, values), site.channel_stride, width,
                         tensor_of(layout, layout.index(step_tensor_name(site.name, width)), values));
  }

  std::unique_ptr<SlotQuantizer> make(const SlotPlace& place) const override {
    switch (settings_.rule->timing()) {
      case FitTiming::kEveryStep: return std::make_unique<StepGridWeights>(settings_, place);
      case FitTiming::kEveryRound: return std::make_unique<RoundGridWeights>(settings_, place);
      case FitTiming::kLearned: return std::make_unique<LearnedGridWeights>(settings_, place);
    }
    return nullptr;
  }

 private:
  WeightGrids settings_;
};

}  // namespace

std::shared_ptr<const SlotQuantizerKind> grid_weights(WeightGrids grids) {
  return std::make_shared<const GridWeightsKind>(std::move(grids));
}

}  // namespace anybit
