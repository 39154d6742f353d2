#include "quant/quantizers/learned_step_activations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "nn/arithmetic.h"
#include "quant/grids/extremes.h"
#include "quant/quantizers/learned_step.h"
#include "quant/quantizers/moving_range.h"

namespace anybit {
namespace {

float mean_magnitude(std::span<const float> values) {
  double sum = 0;
  for (const float x : values) sum += std::fabs(static_cast<double>(x));
  return static_cast<float>(sum / static_cast<double>(values.size()));
}

// Where a slot's tensors are in the layout.
class Tensors {
 public:
  Tensors(const Layout& layout, const SlotSite& site, std::span<const int> widths, bool offset)
      : layout_(layout), first_(layout.index(offset ? range_tensor_name(site) : magnitude_tensor_name(site))) {
    steps_.fill(-1);
    offsets_.fill(-1);
    for (const int width : widths) {
      const auto at = static_cast<std::size_t>(width);
      steps_[at] = layout.index(activation_step_name(site, width));
      if (offset) offsets_[at] = layout.index(activation_offset_name(site, width));
    }
  }

  int step(int width) const { return steps_[static_cast<std::size_t>(width)]; }
  int offset(int width) const { return offsets_[static_cast<std::size_t>(width)]; }
  /// Of the first batch: [mean|x|], or with an offset [min, max].
  template <typename T>
  std::span<T> first(std::span<T> buffer) const {
    return tensor_of(layout_, first_, buffer);
  }
  template <typename T>
  T& step(int width, std::span<T> buffer) const {
    return tensor_of(layout_, step(width), buffer)[0];
  }
  template <typename T>
  T& offset(int width, std::span<T> buffer) const {
    return tensor_of(layout_, offset(width), buffer)[0];
  }

 private:
  const Layout& layout_;
  int first_;
  std::array<int, kArrayByWidth> steps_{}, offsets_{};  // by width; -1: none
};

// Qp
int largest_step(const SlotSite& site, int width, bool offset) {
  return offset || site.non_negative ? (1 << width) - 1 : largest_code(width);
}

// The grid of these parameters and this first batch. Passes through while there was none.
UniformGrid learned_grid(const Tensors& tensors, const SlotSite& site, int width, bool offset,
                         std::span<const float> first, std::span<const float> parameters) {
  const int high = (1 << width) - 1;
  const double first_step =
      offset ? (static_cast<double>(first[1]) - static_cast<double>(first[0])) / high
             : 2.0 * static_cast<double>(first[0]) / std::sqrt(static_cast<double>(largest_step(site, width, offset)));
  if (!(first_step > 0.0)) return {};
  const auto log2_step = static_cast<float>(fixed_log2(first_step)) + tensors.step(width, parameters);
  const float scale = step_from_log2(log2_step);
  int zero_point = site.non_negative ? 0 : 1 << (width - 1);
  if (offset) {
    const float shift = std::nearbyint(-(first[0] + tensors.offset(width, parameters)) / scale);
    zero_point = static_cast<int>(std::fmin(std::fmax(shift, 0.0F), static_cast<float>(high)));
  }
  return {scale, zero_point, 0.0F, 0, high};
}

// The sum of the gradients of what the grid clips, in a fixed order.
double clipped_sum(const UniformGrid& grid, std::span<const float> before, std::span<const float> gradient) {
  const float inverse = 1.0F / grid.scale;
  const auto low = static_cast<float>(grid.low - grid.zero_point);
  const auto high = static_cast<float>(grid.high - grid.zero_point);
  constexpr std::size_t kLanes = 16;
  constexpr std::size_t kBlock = 512;
  double total = 0;
  for (std::size_t begin = 0; begin < before.size(); begin += kBlock) {
    const std::size_t end = std::min(begin + kBlock, before.size());
    float lanes[kLanes] = {};
    for (std::size_t i = begin; i < end; ++i) {
      const float u = before[i] * inverse;
      lanes[i % kLanes] += u < low || high < u ? gradient[i] : 0.0F;
    }
    for (const float lane : lanes) total += static_cast<double>(lane);
  }
  return total;
}

class Activations final : public SlotQuantizer {
 public:
  Activations(bool offset, const SlotPlace& place)
      : offset_(offset),
        is_evaluation_(place.passes == Passes::kEvaluation),
        name_(place.site.name),
        layout_(place.layout),
        tensors_(layout_, place.site, place.widths, offset) {}

  void begin_step(SlotWidths widths, const Moment&) override {
    if (tensors_.step(widths.own) < 0) throw no_learned_step(name_, widths.own);
    width_ = widths.own;
  }

  void mark_trained(std::span<std::uint8_t> tensors) const override {
    tensors[static_cast<std::size_t>(tensors_.step(width_))] = 1;
    if (offset_) tensors[static_cast<std::size_t>(tensors_.offset(width_))] = 1;
  }

  bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass& pass) override {
    std::span<const float> first = tensors_.first(pass.parameters);
    if (!is_evaluation_ && !pass.statistics.empty()) first = begin_with(before, tensors_.first(pass.statistics));
    const UniformGrid grid = learned_grid(tensors_, site, width_, offset_, first, pass.parameters);
    if (grid.passes_through()) return false;
    grids_.set(0, grid);
    quantize(grids_, 1, Rounding::kHalfEven, before, {}, after);
    return true;
  }

  void backward(const SlotSite& site, std::span<const float> before, std::span<const float> after,
                std::span<float> gradient, SlotPass& pass) override {
    const double divisor = lsq_divisor(site.size, largest_step(site, width_, offset_));
    if (offset_)
      tensors_.offset(width_, pass.gradients) +=
          static_cast<float>(clipped_sum(grids_.at(0), before, gradient) / divisor);
    learned_step_backward(grids_, 1, divisor, before, after, gradient,
                          tensor_of(layout_, tensors_.step(width_), pass.gradients));
  }

  bool only_clips(PlainStep&) const override { return false; }
  std::size_t bytes() const override { return grids_.bytes(); }

 private:
  std::span<const float> begin_with(std::span<const float> batch, std::span<float> first) const {
    if (std::ranges::any_of(first, [](float value) { return value != 0.0F; })) return first;
    if (offset_) {
      const Extremes range = extremes_with_zero(batch);
      first[0] = range.low;
      first[1] = range.high;
    } else {
      first[0] = mean_magnitude(batch);
    }
    return first;
  }

  const bool offset_;
  const bool is_evaluation_;
  const std::string name_;
  const Layout& layout_;
  const Tensors tensors_;
  int width_ = 0;
  ChannelGrids grids_;  // of the last forward pass
};

TensorSpec number(std::string name, Role role, Merge merge, int values = 1) {
  TensorSpec spec;
  spec.name = std::move(name);
  spec.shape = {values};
  spec.role = role;
  spec.merge = merge;
  spec.group = {role == Role::kStatistic ? 0.0F : 1.0F, false};
  return spec;
}

class Kind final : public SlotQuantizerKind {
 public:
  explicit Kind(LearnedStepActivations settings) : settings_(settings) {}

  std::vector<TensorSpec> tensors(const Network& network, const SlotSite& site,
                                  std::span<const int> widths) const override {
    if (site.first) return image_->tensors(network, site, widths);
    std::vector<TensorSpec> own;
    own.push_back(settings_.offset ? number(range_tensor_name(site), Role::kStatistic, Merge::kMean, 2)
                                   : number(magnitude_tensor_name(site), Role::kStatistic, Merge::kMean));
    for (const int width : widths) {
      own.push_back(number(activation_step_name(site, width), Role::kQuantizer, Merge::kLogMean));
      if (settings_.offset) own.push_back(number(activation_offset_name(site, width), Role::kQuantizer, Merge::kMean));
    }
    return own;
  }

  std::unique_ptr<SlotQuantizer> make(const SlotPlace& place) const override {
    if (place.site.first) return image_->make(place);
    return std::make_unique<Activations>(settings_.offset, place);
  }

  Range range(const Layout& layout, const SlotSite& site, std::span<const int> widths,
              std::span<const float> parameters) const override {
    if (site.first) return image_->range(layout, site, widths, parameters);
    const Tensors tensors(layout, site, widths, settings_.offset);
    const UniformGrid grid =
        learned_grid(tensors, site, widths.back(), settings_.offset, tensors.first(parameters), parameters);
    if (grid.passes_through()) return {};
    return {decode(grid, grid.low), decode(grid, grid.high)};
  }

 private:
  LearnedStepActivations settings_;
  std::shared_ptr<const SlotQuantizerKind> image_ = moving_range_activations({});
};

}  // namespace

std::shared_ptr<const SlotQuantizerKind> learned_step_activations(LearnedStepActivations settings) {
  return std::make_shared<const Kind>(settings);
}

std::string magnitude_tensor_name(const SlotSite& site) { return site.name + ".magnitude"; }
std::string activation_step_name(const SlotSite& site, int width) { return step_tensor_name(site.name, width); }
std::string activation_offset_name(const SlotSite& site, int width) {
  return site.name + ".offset" + std::to_string(width);
}

}  // namespace anybit
