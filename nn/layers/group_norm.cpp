#include <cmath>
#include <vector>

#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// y = scale_c (x - mean_g) / sqrt(var_g + epsilon) + shift_c over the pixels and channels of one group of one example
/// (Wu and He, Group Normalization, ECCV 2018). Scale and shift come as weight and bias.
///
/// Sums run over pixels with all channels side by side, in a fixed order, then over the channels of a group in double.
class GroupNormLayer final : public Layer {
 public:
  GroupNormLayer(const GroupNorm& norm, const LayerPlan& plan)
      : groups_(static_cast<std::size_t>(norm.groups)),
        channels_(static_cast<std::size_t>(plan.input.channels)),
        pixels_(plan.input.size() / channels_),
        epsilon_(norm.epsilon),
        mean_(buffer(plan)),
        inverse_(buffer(plan)),
        sums_(channels_),
        products_(channels_),
        mean_of_channel_(channels_),
        inverse_of_channel_(channels_) {}

  void forward(const LayerPass& pass) override {
    for (int row = 0; row < pass.rows; ++row) {
      const float* x = pass.input[0] + static_cast<std::size_t>(row) * pixels_ * channels_;
      float* y = pass.output + static_cast<std::size_t>(row) * pixels_ * channels_;
      moments(x, static_cast<std::size_t>(row));
      spread(static_cast<std::size_t>(row));
      for (std::size_t c = 0; c < channels_; ++c) {
        sums_[c] = pass.weight[c] * inverse_of_channel_[c];
        products_[c] = pass.bias[c] - mean_of_channel_[c] * sums_[c];
      }
      for (std::size_t p = 0; p < pixels_; ++p)
        for (std::size_t c = 0; c < channels_; ++c)
          y[p * channels_ + c] = x[p * channels_ + c] * sums_[c] + products_[c];
    }
  }

  void backward(const LayerGradient& pass) override {
    std::fill_n(pass.weight_gradient, channels_, 0.0F);
    std::fill_n(pass.bias_gradient, channels_, 0.0F);
    for (int row = 0; row < pass.rows; ++row) {
      const std::size_t offset = static_cast<std::size_t>(row) * pixels_ * channels_;
      const float* x = pass.input[0] + offset;
      const float* dy = pass.output_gradient + offset;
      spread(static_cast<std::size_t>(row));
      channel_sums(x, dy);
      for (std::size_t c = 0; c < channels_; ++c) {
        pass.weight_gradient[c] += products_[c];
        pass.bias_gradient[c] += sums_[c];
      }
      if (pass.input_gradient[0] != nullptr) input_gradient(x, dy, pass.weight, pass.input_gradient[0] + offset);
    }
  }

 private:
  FloatBuffer buffer(const LayerPlan& plan) const {
    return FloatBuffer(static_cast<std::size_t>(plan.rungs.front()) * groups_);
  }

  /// Mean and inverse deviation of each group of one example, two passes.
  void moments(const float* x, std::size_t row) {
    const std::size_t width = channels_ / groups_;
    const double n = static_cast<double>(pixels_ * width);
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    for (std::size_t p = 0; p < pixels_; ++p)
      for (std::size_t c = 0; c < channels_; ++c) sums_[c] += x[p * channels_ + c];
    for (std::size_t g = 0; g < groups_; ++g) {
      double sum = 0;
      for (std::size_t c = g * width; c < (g + 1) * width; ++c) sum += static_cast<double>(sums_[c]);
      mean_[row * groups_ + g] = static_cast<float>(sum / n);
      for (std::size_t c = g * width; c < (g + 1) * width; ++c) mean_of_channel_[c] = mean_[row * groups_ + g];
    }
    std::fill(products_.begin(), products_.end(), 0.0F);
    for (std::size_t p = 0; p < pixels_; ++p)
      for (std::size_t c = 0; c < channels_; ++c) {
        const float centred = x[p * channels_ + c] - mean_of_channel_[c];
        products_[c] += centred * centred;
      }
    for (std::size_t g = 0; g < groups_; ++g) {
      double squares = 0;
      for (std::size_t c = g * width; c < (g + 1) * width; ++c) squares += static_cast<double>(products_[c]);
      inverse_[row * groups_ + g] = static_cast<float>(1.0 / std::sqrt(squares / n + static_cast<double>(epsilon_)));
    }
  }

  /// Lays the groups' numbers of one example out per channel.
  void spread(std::size_t row) {
    const std::size_t width = channels_ / groups_;
    for (std::size_t c = 0; c < channels_; ++c) {
      mean_of_channel_[c] = mean_[row * groups_ + c / width];
      inverse_of_channel_[c] = inverse_[row * groups_ + c / width];
    }
  }

  /// sums = sum of dy, products = sum of dy * xhat, per channel.
  void channel_sums(const float* x, const float* dy) {
    std::fill(sums_.begin(), sums_.end(), 0.0F);
    std::fill(products_.begin(), products_.end(), 0.0F);
    for (std::size_t p = 0; p < pixels_; ++p)
      for (std::size_t c = 0; c < channels_; ++c) {
        const float g = dy[p * channels_ + c];
        sums_[c] += g;
        products_[c] += g * (x[p * channels_ + c] - mean_of_channel_[c]);
      }
    for (std::size_t c = 0; c < channels_; ++c) products_[c] *= inverse_of_channel_[c];
  }

  /// dx = inverse (scale dy - mean(scale dy) - xhat mean(scale dy xhat)), means over the group.
  void input_gradient(const float* x, const float* dy, const float* scale, float* dx) {
    const std::size_t width = channels_ / groups_;
    const double n = static_cast<double>(pixels_ * width);
    for (std::size_t g = 0; g < groups_; ++g) {
      double sum = 0;
      double product = 0;
      for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
        sum += static_cast<double>(scale[c]) * static_cast<double>(sums_[c]);
        product += static_cast<double>(scale[c]) * static_cast<double>(products_[c]);
      }
      // dx = a dy + b x + d with per-channel a and per-group b, d.
      for (std::size_t c = g * width; c < (g + 1) * width; ++c) {
        const float inverse = inverse_of_channel_[c];
        const float b = -inverse * inverse * static_cast<float>(product / n);
        products_[c] = b;
        sums_[c] = -inverse * static_cast<float>(sum / n) - b * mean_of_channel_[c];
      }
    }
    for (std::size_t c = 0; c < channels_; ++c) inverse_of_channel_[c] *= scale[c];
    for (std::size_t p = 0; p < pixels_; ++p)
      for (std::size_t c = 0; c < channels_; ++c)
        dx[p * channels_ + c] =
            inverse_of_channel_[c] * dy[p * channels_ + c] + products_[c] * x[p * channels_ + c] + sums_[c];
  }

  std::size_t groups_;
  std::size_t channels_;
  std::size_t pixels_;
  float epsilon_;
  FloatBuffer mean_;  // rows x groups, kept from forward to backward
  FloatBuffer inverse_;
  FloatBuffer sums_;  // per channel, valid within one example
  FloatBuffer products_;
  FloatBuffer mean_of_channel_;
  FloatBuffer inverse_of_channel_;
};

}  // namespace

std::unique_ptr<Layer> make_group_norm(const GroupNorm& norm, const LayerPlan& plan) {
  return std::make_unique<GroupNormLayer>(norm, plan);
}

}  // namespace anybit
