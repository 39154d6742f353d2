#include "quant/quantizers/fake_program.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include "quant/grids/extremes.h"
#include "quant/quantizers/learned_step.h"
#include "quant/quantizers/noise.h"

namespace anybit {
namespace {

std::span<const float> tensor_of(const Layout& layout, int index, std::span<const float> buffer) {
  const TensorSpec& spec = layout.tensors()[static_cast<std::size_t>(index)];
  return buffer.subspan(spec.offset, spec.size);
}

std::span<float> tensor_of(const Layout& layout, int index, std::span<float> buffer) {
  const TensorSpec& spec = layout.tensors()[static_cast<std::size_t>(index)];
  return buffer.subspan(spec.offset, spec.size);
}

bool same_step(const DrawName& a, const DrawName& b) {
  return a.seed == b.seed && a.round == b.round && a.client == b.client && a.step == b.step;
}

bool all_pass_through(const ChannelGrids& grids) { return grids.channels() == 1 && grids.at(0).passes_through(); }

}  // namespace

FakeProgram::FakeProgram(std::shared_ptr<const FakeSettings> settings, const Network& network,
                         std::shared_ptr<const Layout> layout)
    : settings_(std::move(settings)),
      layout_(std::move(layout)),
      timing_(settings_->rule->timing()),
      used_(layout_->tensors().size(), 0) {
  std::size_t largest = 0;
  for (const SlotSite& site : network.slots()) {
    SlotState& state = slots_.emplace_back();
    state.step.fill(-1);
    if (site.kind == SlotKind::kActivation) {
      if (settings_->plan.activations != kFloatWidth) state.range = layout_->index(range_tensor_name(site));
      continue;
    }
    largest = std::max(largest, site.size);
    if (settings_->per_channel) state.grids.resize(site.channels);
    if (timing_ == FitTiming::kEveryRound) state.fitted.assign(kWidths, state.grids);
    if (timing_ != FitTiming::kLearned) continue;
    for (const int width : settings_->plan.possible(site))
      state.step[static_cast<std::size_t>(width)] = layout_->index(step_tensor_name(site.name, width));
  }
  scratch_.reserve(timing_ == FitTiming::kEveryRound ? 2 * largest : settings_->per_channel ? largest : 1);
}

void FakeProgram::begin_client(std::span<const float> parameters) {
  in_step_ = false;
  if (timing_ != FitTiming::kEveryRound) return;
  received_.assign(parameters.begin(), parameters.end());
  for (SlotState& state : slots_) state.is_fitted.fill(false);
}

void FakeProgram::begin_step(std::span<const std::uint8_t> widths, const Moment& moment) {
  if (!in_step_ || !same_step(step_, moment.draw)) std::fill(used_.begin(), used_.end(), std::uint8_t{0});
  in_step_ = true;
  step_ = moment.draw;
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    SlotState& state = slots_[slot];
    state.width = widths[slot];
    assert(is_width(state.width));  // the arrays by width end there
    const bool is_weight = slot % 2 == 0;
    if (timing_ != FitTiming::kLearned || !is_weight || state.width == kFloatWidth) continue;
    const int tensor = state.step[state.width];
    if (tensor < 0)
      throw std::invalid_argument("no learned step at " + std::to_string(state.width) +
                                  " bits: add the width to `widths`" + " of the method, or choose another range rule");
    used_[static_cast<std::size_t>(tensor)] = 1;
  }
}

void FakeProgram::count_trained(std::span<std::uint32_t> steps) const {
  for (std::size_t tensor = 0; tensor < used_.size(); ++tensor) steps[tensor] += used_[tensor];
}

std::size_t FakeProgram::bytes() const {
  std::size_t bytes = held_bytes(slots_, used_, received_) + scratch_.bytes();
  for (const SlotState& state : slots_) {
    bytes += state.grids.bytes() + held_bytes(state.fitted);
    for (const ChannelGrids& grids : state.fitted) bytes += grids.bytes();
  }
  return bytes;
}

bool FakeProgram::forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass& pass) {
  SlotState& state = slots_[static_cast<std::size_t>(site.slot)];
  if (state.width == kFloatWidth) return false;
  if (site.kind == SlotKind::kWeight) return forward_weight(site, state, before, after, pass);
  return forward_activation(site, state, before, after, pass);
}

bool FakeProgram::forward_weight(const SlotSite& site, SlotState& state, std::span<const float> before,
                                 std::span<float> after, const SlotPass& pass) {
  choose_grids(site, state, before, pass);
  state.clips = timing_ != FitTiming::kEveryStep && !settings_->noise;
  if (all_pass_through(state.grids)) return false;
  if (settings_->noise) {
    fill_draws(site, Purpose::kNoise, -0.5F, 0.5F, after, pass);
    add_scaled_noise(state.grids, site.channel_stride, before, after);
    return true;
  }
  if (settings_->rounding == Rounding::kStochastic) fill_draws(site, Purpose::kRounding, 0.0F, 1.0F, after, pass);
  quantize(state.grids, site.channel_stride, settings_->rounding, before, after, after);
  return true;
}

void FakeProgram::choose_grids(const SlotSite& site, SlotState& state, std::span<const float> weights,
                               const SlotPass& pass) {
  const FitRequest request{state.width, settings_->fit.full_range, {}};
  const RangeRule& rule = *settings_->rule;
  if (timing_ == FitTiming::kEveryStep) {
    rule.fit_groups(weights, site.channel_stride, request, {}, scratch_, state.grids);
  } else if (timing_ == FitTiming::kLearned) {
    rule.fit_groups({}, site.channel_stride, request, step_of(state, pass.parameters), scratch_, state.grids);
  } else {
    ChannelGrids& fitted = state.fitted[state.width];
    if (!state.is_fitted[state.width]) {
      const std::span<const float> received = tensor_of(*layout_, site.tensor, std::span<const float>(received_));
      rule.fit_groups(received, site.channel_stride, request, {}, scratch_, fitted);
      state.is_fitted[state.width] = true;
    }
    state.grids = fitted;
  }
}

std::span<const float> FakeProgram::step_of(const SlotState& state, std::span<const float> parameters) const {
  return tensor_of(*layout_, state.step[state.width], parameters);
}

void FakeProgram::fill_draws(const SlotSite& site, Purpose purpose, float low, float high, std::span<float> out,
                             const SlotPass& pass) const {
  DrawName name = pass.draw;
  name.purpose = purpose;
  const std::uint32_t width = slots_[static_cast<std::size_t>(2 * site.layer)].width;  // of the layer's weight
  name.layer = static_cast<std::uint32_t>(site.slot) | width << 16U;
  Stream(name).fill_uniform(out, low, high);
}

bool FakeProgram::forward_activation(const SlotSite& site, SlotState& state, std::span<const float> before,
                                     std::span<float> after, SlotPass& pass) {
  assert(state.range >= 0 && "the plan quantizes no activations");
  const Extremes batch = extremes_with_zero(before);
  Extremes range;
  if (pass.statistics.empty()) {
    const std::span<const float> stored = tensor_of(*layout_, state.range, pass.parameters);
    range = {stored[0], stored[1]};
  } else {
    const std::span<float> running = tensor_of(*layout_, state.range, pass.statistics);
    const float keep = settings_->activation_momentum;
    const bool unset = running[0] == 0.0F && running[1] == 0.0F;
    range =
        unset ? batch
              : Extremes{keep * running[0] + (1.0F - keep) * batch.low, keep * running[1] + (1.0F - keep) * batch.high};
    running[0] = range.low;
    running[1] = range.high;
  }
  const UniformGrid grid = asymmetric_grid(range.low, range.high, state.width);
  if (grid.passes_through()) return false;
  state.grids.set(0, grid);
  state.clips = !never_clips(grid, batch.low, batch.high);
  if (settings_->rounding == Rounding::kStochastic) fill_draws(site, Purpose::kRounding, 0.0F, 1.0F, after, pass);
  quantize(state.grids, 1, settings_->rounding, before, after, after);
  return true;
}

void FakeProgram::backward(const SlotSite& site, std::span<const float> before, std::span<const float> after,
                           std::span<float> gradient, SlotPass& pass) {
  const SlotState& state = slots_[static_cast<std::size_t>(site.slot)];
  if (!state.clips) return;
  if (site.kind == SlotKind::kWeight && timing_ == FitTiming::kLearned)
    learned_step_backward(state.grids, site.channel_stride, before, after, gradient,
                          tensor_of(*layout_, state.step[state.width], pass.gradients));
  else
    mask_clipped(state.grids, site.channel_stride, before, gradient);
}

bool FakeProgram::only_clips(const SlotSite& site, PlainStep& step) const {
  const SlotState& state = slots_[static_cast<std::size_t>(site.slot)];
  if (!state.clips) return true;
  if (timing_ == FitTiming::kLearned || state.grids.channels() > 1) return false;
  const ChannelGrids& grids = state.grids;
  step.clipped = true;
  step.interval = {grids.offset()[0], grids.inverse()[0], grids.low()[0], grids.high()[0]};
  return true;
}

}  // namespace anybit
