#include <cmath>

#include "nn/layers/layers.h"
#include "nn/layers/normalize.h"

namespace anybit {
namespace {

/// y = scale_c (x - mean_g) / sqrt(var_g + epsilon) + shift_c over the pixels and channels of one group of one example
/// (Wu and He, Group Normalization, ECCV 2018). Scale and shift come as weight and bias.
///
/// One example at a time, so that its two passes for the moments and the one that writes meet it in the cache. Sums run
/// over pixels per channel in float, then over the channels of a group in double.
class GroupNormLayer final : public Layer {
 public:
  GroupNormLayer(const GroupNorm& norm, const LayerPlan& plan)
      : groups_(static_cast<std::size_t>(norm.groups)),
        channels_(static_cast<std::size_t>(plan.input.channels)),
        group_width_(channels_ / groups_),
        numbers_(static_cast<double>(plan.input.size() / groups_)),
        plane_(plan.input.size() / channels_, channels_),
        epsilon_(static_cast<double>(norm.epsilon)),
        relu_(plan.fused_relu),
        mean_(static_cast<std::size_t>(plan.rungs.front()) * groups_),
        inverse_(mean_.size()),
        norm_(plane_),
        mean_lanes_(plane_.width()),
        sums_(plane_.width()),
        products_(plane_.width()),
        slope_(plane_.width()),
        constant_(plane_.width()) {}

  void forward(const LayerPass& pass) override {
    for (int row = 0; row < pass.rows; ++row) {
      const std::size_t offset = static_cast<std::size_t>(row) * plane_.size();
      moments(pass.input[0] + offset, static_cast<std::size_t>(row));
      lay_out(static_cast<std::size_t>(row), pass.weight, pass.bias);
      normalize_plane(plane_, pass.input[0] + offset, norm_, relu_, pass.output + offset);
    }
  }

  void backward(LayerGradient& pass) override {
    std::fill_n(pass.weight_gradient, channels_, 0.0F);
    std::fill_n(pass.bias_gradient, channels_, 0.0F);
    for (int row = 0; row < pass.rows; ++row) {
      const std::size_t offset = static_cast<std::size_t>(row) * plane_.size();
      const float* x = pass.input[0] + offset;
      const float* dy = pass.output_gradient + offset;
      const float* inverse = inverse_.data() + static_cast<std::size_t>(row) * groups_;
      lay_out(static_cast<std::size_t>(row), pass.weight, pass.bias);
      gradient_sums(plane_, x, dy, mean_lanes_, norm_, relu_, sums_, products_);
      for (std::size_t c = 0; c < channels_; ++c) {
        products_[c] *= inverse[c / group_width_];
        pass.weight_gradient[c] += products_[c];
        pass.bias_gradient[c] += sums_[c];
      }
      if (pass.input_gradient[0] == nullptr) continue;
      for (std::size_t g = 0; g < groups_; ++g) input_terms(g, inverse[g], pass.weight);
      plane_.spread(slope_, [&](std::size_t c) { return products_[c]; });
      plane_.spread(constant_, [&](std::size_t c) { return sums_[c]; });
      norm_input_gradient(plane_, x, dy, norm_, relu_, slope_, constant_, pass.input_gradient[0] + offset);
    }
  }

  std::size_t bytes() const override {
    return norm_.bytes() + held_bytes(mean_, inverse_, mean_lanes_, sums_, products_, slope_, constant_);
  }

 private:
  /// Mean and inverse deviation of each group of one example, two passes.
  void moments(const float* x, std::size_t row) {
    float* const mean = mean_.data() + row * groups_;
    plane_sums(plane_, x, sums_);
    for (std::size_t g = 0; g < groups_; ++g) mean[g] = static_cast<float>(group_sum(sums_, g) / numbers_);
    plane_.spread(mean_lanes_, [&](std::size_t c) { return mean[c / group_width_]; });
    plane_squares(plane_, x, mean_lanes_, sums_);
    for (std::size_t g = 0; g < groups_; ++g)
      inverse_[row * groups_ + g] = static_cast<float>(1.0 / std::sqrt(group_sum(sums_, g) / numbers_ + epsilon_));
  }

  double group_sum(const FloatBuffer& of_channel, std::size_t g) const {
    double sum = 0;
    for (std::size_t c = g * group_width_; c < (g + 1) * group_width_; ++c) sum += static_cast<double>(of_channel[c]);
    return sum;
  }

  /// One example's means, factors and offsets, per lane.
  void lay_out(std::size_t row, const float* scale, const float* shift) {
    const float* const mean = mean_.data() + row * groups_;
    const float* const inverse = inverse_.data() + row * groups_;
    plane_.spread(mean_lanes_, [&](std::size_t c) { return mean[c / group_width_]; });
    plane_.spread(norm_.factor, [&](std::size_t c) { return scale[c] * inverse[c / group_width_]; });
    plane_.spread(norm_.offset, [&](std::size_t c) {
      return shift[c] - mean[c / group_width_] * (scale[c] * inverse[c / group_width_]);
    });
  }

  /// dx = inverse (scale dy - mean(scale dy) - xhat mean(scale dy xhat)), means over the group: the factors of x and 1,
  /// put where the channels' products and sums were.
  void input_terms(std::size_t g, float inverse, const float* scale) {
    double sum = 0;
    double product = 0;
    for (std::size_t c = g * group_width_; c < (g + 1) * group_width_; ++c) {
      sum += static_cast<double>(scale[c]) * static_cast<double>(sums_[c]);
      product += static_cast<double>(scale[c]) * static_cast<double>(products_[c]);
    }
    const float slope = -inverse * inverse * static_cast<float>(product / numbers_);
    for (std::size_t c = g * group_width_; c < (g + 1) * group_width_; ++c) {
      products_[c] = slope;
      sums_[c] = -inverse * static_cast<float>(sum / numbers_) - slope * mean_lanes_[c];
    }
  }

  std::size_t groups_;
  std::size_t channels_;
  std::size_t group_width_;  // channels
  double numbers_;           // of a group of one example
  Plane plane_;
  double epsilon_;
  bool relu_;
  FloatBuffer mean_;  // rows x groups, kept from forward to backward
  FloatBuffer inverse_;
  NormLanes norm_;  // this and what follows: valid within one example
  FloatBuffer mean_lanes_;
  FloatBuffer sums_;
  FloatBuffer products_;
  FloatBuffer slope_;
  FloatBuffer constant_;
};

}  // namespace

std::unique_ptr<Layer> make_group_norm(const GroupNorm& norm, const LayerPlan& plan) {
  return std::make_unique<GroupNormLayer>(norm, plan);
}

}  // namespace anybit
