#include "quant/quantizers/learned_step_activations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "nn/arithmetic.h"
#include "quant/quantizers/learned_step.h"
#include "quant/quantizers/moving_range.h"

namespace anybit {
namespace {

// Mean |x| that first steps are made for: of a standard normal number, and of a ReLU's of one.
constexpr double kNormalMagnitude = 0.797884560802865;  // sqrt(2 / pi)

// Where a slot's tensors are in the layout.
class Tensors {
 public:
  Tensors(const Layout& layout, const SlotSite& site, std::span<const int> widths, bool offset) : layout_(layout) {
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
  std::array<int, kArrayByWidth> steps_{}, offsets_{};  // by width; -1: none
};

int most_codes(int width) { return (1 << width) - 1; }

// Without an offset of its own.
int zero_point_of(const SlotSite& site, int width) { return site.non_negative ? 0 : 1 << (width - 1); }

// Qp
int largest_step(const SlotSite& site, int width, bool offset) {
  return offset || site.non_negative ? most_codes(width) : largest_code(width);
}

float first_step(const SlotSite& site, int width) {
  const double magnitude = site.non_negative ? kNormalMagnitude / 2 : kNormalMagnitude;
  return static_cast<float>(first_learned_step(magnitude, largest_step(site, width, false)));
}

// Where the offset puts zero, in codes: not rounded, and not limited to those that there are.
float offset_in_codes(const Tensors& tensors, int width, std::span<const float> parameters) {
  return -tensors.offset(width, parameters) / step_from_log2(tensors.step(width, parameters));
}

UniformGrid learned_grid(const Tensors& tensors, const SlotSite& site, int width, bool offset,
                         std::span<const float> parameters) {
  const int high = most_codes(width);
  int zero_point = zero_point_of(site, width);
  if (offset) {
    const float codes = std::nearbyint(offset_in_codes(tensors, width, parameters));
    zero_point = static_cast<int>(std::fmin(std::fmax(codes, 0.0F), static_cast<float>(high)));
  }
  return {step_from_log2(tensors.step(width, parameters)), zero_point, 0.0F, 0, high};
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
    grids_.set(0, learned_grid(tensors_, site, width_, offset_, pass.parameters));
    quantize(grids_, 1, Rounding::kHalfEven, before, {}, after);
    return true;
  }

  void backward(const SlotSite& site, std::span<const float> before, std::span<const float> after,
                std::span<float> gradient, SlotPass& pass) override {
    const double divisor = lsq_divisor(site.size, largest_step(site, width_, offset_));
    double of_edges = 0;  // the codes of an offset's grid are counted from its lower edge, which s does not move
    if (offset_) {
      const double clipped = clipped_sum(grids_.at(0), before, gradient);
      of_edges = clipped * grids_.at(0).zero_point;
      if (moves(clipped, pass.parameters))
        tensors_.offset(width_, pass.gradients) += static_cast<float>(clipped / divisor);
    }
    learned_step_backward(grids_, 1, divisor, before, after, gradient,
                          tensor_of(layout_, tensors_.step(width_), pass.gradients), of_edges);
  }

  bool only_clips(PlainStep&) const override { return false; }
  std::size_t bytes() const override { return grids_.bytes(); }

 private:
  // Whether a descent along this gradient of the offset brings another grid. Where zero is at an edge already, it does
  // not stay there: otherwise the offset would go on without a trace, and have to come all the way back.
  bool moves(double gradient, std::span<const float> parameters) const {
    const float codes = offset_in_codes(tensors_, width_, parameters);
    return gradient < 0 ? codes >= 0.0F : codes <= static_cast<float>(most_codes(width_));
  }

  const bool offset_;
  const std::string name_;
  const Layout& layout_;
  const Tensors tensors_;
  int width_ = 0;
  ChannelGrids grids_;  // of the last forward pass
};

TensorSpec learned_number(std::string name, Merge merge) {
  TensorSpec spec;
  spec.name = std::move(name);
  spec.shape = {1};
  spec.role = Role::kQuantizer;
  spec.merge = merge;
  spec.group = {1.0F, false};
  return spec;
}

class Kind final : public SlotQuantizerKind {
 public:
  explicit Kind(LearnedStepActivations settings) : settings_(settings) {}

  std::vector<TensorSpec> tensors(const Network& network, const SlotSite& site,
                                  std::span<const int> widths) const override {
    if (site.first) return image_->tensors(network, site, widths);
    std::vector<TensorSpec> own;
    for (const int width : widths) {
      own.push_back(learned_number(activation_step_name(site, width), Merge::kLogMean));
      if (settings_.offset) own.push_back(learned_number(activation_offset_name(site, width), Merge::kMean));
    }
    return own;
  }

  void initialize(const Layout& layout, const SlotSite& site, std::span<const int> widths,
                  std::span<float> values) const override {
    if (site.first) return image_->initialize(layout, site, widths, values);
    const Tensors tensors(layout, site, widths, settings_.offset);
    for (const int width : widths) {
      const float step = first_step(site, width);
      tensors.step(width, values) = static_cast<float>(fixed_log2(static_cast<double>(step)));
      if (settings_.offset) tensors.offset(width, values) = -step * static_cast<float>(zero_point_of(site, width));
    }
  }

  std::unique_ptr<SlotQuantizer> make(const SlotPlace& place) const override {
    if (place.site.first) return image_->make(place);
    return std::make_unique<Activations>(settings_.offset, place);
  }

  Range range(const Layout& layout, const SlotSite& site, std::span<const int> widths,
              std::span<const float> parameters) const override {
    if (site.first) return image_->range(layout, site, widths, parameters);
    const Tensors tensors(layout, site, widths, settings_.offset);
    const UniformGrid grid = learned_grid(tensors, site, widths.back(), settings_.offset, parameters);
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

std::string activation_step_name(const SlotSite& site, int width) { return step_tensor_name(site.name, width); }
std::string activation_offset_name(const SlotSite& site, int width) {
  return site.name + ".offset" + std::to_string(width);
}

}  // namespace anybit
