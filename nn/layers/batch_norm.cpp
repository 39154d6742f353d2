#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/layers/layers.h"
#include "nn/layers/normalize.h"

namespace anybit {
namespace {

/// y = scale_c (x - mean_c) / sqrt(var_c + epsilon) + shift_c per channel (Ioffe and Szegedy, Batch normalization, ICML
/// 2015). In training mean and var are those of all pixels of the batch's live examples, var over n (not n - 1), and
/// the gradient flows through them; padding rows take no part. Otherwise they come from the running statistics.
///
/// Running statistics are the mean and the mean of squares, each moved by `momentum` towards the batch's own, as
/// PyTorch moves its running mean; inference uses var = max(0, square - mean^2). Both are plain means of numbers, so
/// the mean over clients is the moment of their pooled examples, which a mean of variances is not (DESIGN D1).
/// PyTorch's running variance is a mean of per-batch variances over n - 1. That correction pays for subtracting each
/// batch's own mean; a mean of squares subtracts nothing and is unbiased as it is. So the two differ by design: ours
/// also holds how much the means of batches vary.
class BatchNormLayer final : public Layer {
 public:
  BatchNormLayer(const BatchNorm& norm, const LayerPlan& plan)
      : channels_(static_cast<std::size_t>(plan.input.channels)),
        plane_(plan.input.size() / channels_, channels_),
        pixels_(static_cast<double>(plan.input.size() / channels_)),
        momentum_(static_cast<double>(norm.momentum)),
        epsilon_(static_cast<double>(norm.epsilon)),
        relu_(plan.fused_relu),
        mean_(channels_),
        variance_(channels_),
        inverse_(channels_),
        norm_(plane_),
        mean_lanes_(plane_.width()),
        row_sums_(plane_.width()),
        row_products_(plane_.width()),
        slope_(plane_.width()),
        constant_(plane_.width()),
        sums_(channels_),
        products_(channels_) {}

  void forward(const LayerPass& pass) override {
    if (pass.training) {
      batch_moments(pass);
      update_statistics(pass);
    } else {
      running_moments(pass);
    }
    for (std::size_t c = 0; c < channels_; ++c)
      inverse_[c] = static_cast<float>(1.0 / std::sqrt(variance_[c] + epsilon_));
    lay_out(pass.weight, pass.bias);
    for (int row = 0; row < pass.live; ++row)
      normalize_plane(plane_, pass.input[0] + offset(row), norm_, relu_, pass.output + offset(row));
    clear_padding(pass.output, pass.live, pass.rows);
  }

  void backward(LayerGradient& pass) override {
    lay_out(pass.weight, pass.bias);
    std::fill(sums_.begin(), sums_.end(), 0.0);
    std::fill(products_.begin(), products_.end(), 0.0);
    for (int row = 0; row < pass.live; ++row) {
      gradient_sums(plane_, pass.input[0] + offset(row), pass.output_gradient + offset(row), mean_lanes_, norm_, relu_,
                    row_sums_, row_products_);
      for (std::size_t c = 0; c < channels_; ++c) {
        sums_[c] += static_cast<double>(row_sums_[c]);
        products_[c] += static_cast<double>(row_products_[c] * inverse_[c]);
      }
    }
    for (std::size_t c = 0; c < channels_; ++c) {
      pass.weight_gradient[c] = static_cast<float>(products_[c]);
      pass.bias_gradient[c] = static_cast<float>(sums_[c]);
    }
    if (pass.input_gradient[0] != nullptr) input_gradient(pass);
  }

  std::size_t bytes() const override {
    return norm_.bytes() + held_bytes(mean_, variance_, inverse_, mean_lanes_, row_sums_, row_products_, slope_,
                                      constant_, sums_, products_);
  }

 private:
  std::size_t offset(int row) const { return static_cast<std::size_t>(row) * plane_.size(); }

  void clear_padding(float* rows, int live, int all) const { std::fill(rows + offset(live), rows + offset(all), 0.0F); }

  /// Each example's mean and squares about it while it is in the cache, joined in double by the rule of Chan, Golub and
  /// LeVeque (Updating formulae and a pairwise algorithm for computing sample variances, 1979).
  void batch_moments(const LayerPass& pass) {
    std::fill(mean_.begin(), mean_.end(), 0.0);
    std::fill(variance_.begin(), variance_.end(), 0.0);
    for (int row = 0; row < pass.live; ++row) {
      const float* x = pass.input[0] + offset(row);
      plane_sums(plane_, x, row_sums_);
      plane_.spread(mean_lanes_, [&](std::size_t c) { return static_cast<float>(row_sums_[c] / pixels_); });
      plane_squares(plane_, x, mean_lanes_, row_products_);
      const double before = row;  // examples that mean_ and variance_ (sums of squares so far) hold
      for (std::size_t c = 0; c < channels_; ++c) {
        const double apart = static_cast<double>(mean_lanes_[c]) - mean_[c];
        mean_[c] += apart / (before + 1);
        variance_[c] += static_cast<double>(row_products_[c]) + apart * apart * pixels_ * before / (before + 1);
      }
    }
    for (double& squares : variance_) squares /= pixels_ * pass.live;
  }

  void running_moments(const LayerPass& pass) {
    for (std::size_t c = 0; c < channels_; ++c) {
      mean_[c] = static_cast<double>(pass.statistics[0][c]);
      variance_[c] = std::max(0.0, static_cast<double>(pass.statistics[1][c]) - mean_[c] * mean_[c]);
    }
  }

  void update_statistics(const LayerPass& pass) const {
    if (pass.updated_statistics[0] == nullptr) return;
    for (std::size_t c = 0; c < channels_; ++c) {
      move(pass.updated_statistics[0][c], mean_[c]);
      move(pass.updated_statistics[1][c], variance_[c] + mean_[c] * mean_[c]);
    }
  }

  void move(float& running, double seen) const {
    running = static_cast<float>((1 - momentum_) * static_cast<double>(running) + momentum_ * seen);
  }

  void lay_out(const float* scale, const float* shift) {
    plane_.spread(mean_lanes_, [&](std::size_t c) { return static_cast<float>(mean_[c]); });
    plane_.spread(norm_.factor, [&](std::size_t c) { return scale[c] * inverse_[c]; });
    plane_.spread(norm_.offset,
                  [&](std::size_t c) { return shift[c] - static_cast<float>(mean_[c]) * (scale[c] * inverse_[c]); });
  }

  /// dx = scale inverse (dy - mean(dy) - xhat mean(dy xhat)), means over the live examples' pixels.
  void input_gradient(const LayerGradient& pass) {
    const double n = pixels_ * pass.live;
    plane_.spread(slope_,
                  [&](std::size_t c) { return -norm_.factor[c] * inverse_[c] * static_cast<float>(products_[c] / n); });
    plane_.spread(constant_, [&](std::size_t c) {
      return -norm_.factor[c] * static_cast<float>(sums_[c] / n) - slope_[c] * mean_lanes_[c];
    });
    float* const dx = pass.input_gradient[0];
    for (int row = 0; row < pass.live; ++row)
      norm_input_gradient(plane_, pass.input[0] + offset(row), pass.output_gradient + offset(row), norm_, relu_, slope_,
                          constant_, dx + offset(row));
    clear_padding(dx, pass.live, pass.rows);
  }

  std::size_t channels_;
  Plane plane_;
  double pixels_;  // of one example
  double momentum_;
  double epsilon_;
  bool relu_;
  std::vector<double> mean_;  // per channel, kept from forward to backward
  std::vector<double> variance_;
  FloatBuffer inverse_;
  NormLanes norm_;
  FloatBuffer mean_lanes_;
  FloatBuffer row_sums_;  // of one example
  FloatBuffer row_products_;
  FloatBuffer slope_;
  FloatBuffer constant_;
  std::vector<double> sums_;  // of the batch
  std::vector<double> products_;
};

}  // namespace

std::unique_ptr<Layer> make_batch_norm(const BatchNorm& norm, const LayerPlan& plan) {
  return std::make_unique<BatchNormLayer>(norm, plan);
}

}  // namespace anybit
