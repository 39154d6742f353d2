#include <algorithm>
#include <cstdint>
#include <vector>

#include "nn/layers/layers.h"
#include "nn/layers/windows.h"

namespace anybit {
namespace {

/// Marks a window whose maximum is a ReLU's zero: nothing to hand back.
constexpr std::uint8_t kDead = 255;

/// Maximum over windows, channel by channel; remembers which pixel of the window won (the first on a tie).
class MaxPoolLayer final : public Layer {
 public:
  MaxPoolLayer(const MaxPool& pool, const LayerPlan& plan) : kernel_(pool.kernel), stride_(pool.stride), plan_(plan) {
    if (plan.training) winners_.resize(static_cast<std::size_t>(plan.rungs.front()) * plan.output.size());
  }

  void forward(const LayerPass& pass) override {
    each_window(plan_.input, plan_.output, stride_, pass.rows, [&](std::size_t in, std::size_t out) {
      const std::size_t channels = static_cast<std::size_t>(plan_.input.channels);
      const float* source = pass.input[0] + in;
      float* best = pass.output + out;
      if (!plan_.training) {
        std::copy_n(source, channels, best);
        for (int w = 1; w < kernel_ * kernel_; ++w) maximum(source + pixel(w), channels, best);
        return;
      }
      std::uint8_t* winner = winners_.data() + out;
      start(source, channels, best, winner);
      for (int w = 1; w < kernel_ * kernel_; ++w)
        maximum_with_winner(source + pixel(w), channels, static_cast<std::uint8_t>(w), best, winner);
    });
  }

  void backward(const LayerGradient& pass) override {
    float* const to = pass.input_gradient[0];
    if (to == nullptr) return;
    const bool tiles = stride_ == kernel_ && plan_.input.height % kernel_ == 0 && plan_.input.width % kernel_ == 0;
    if (!tiles) std::fill_n(to, static_cast<std::size_t>(pass.rows) * plan_.input.size(), 0.0F);
    each_window(plan_.input, plan_.output, stride_, pass.rows, [&](std::size_t in, std::size_t out) {
      const std::size_t channels = static_cast<std::size_t>(plan_.input.channels);
      const float* gradient = pass.output_gradient + out;
      const std::uint8_t* winner = winners_.data() + out;
      for (int w = 0; w < kernel_ * kernel_; ++w) {
        float* pixel_gradient = to + in + pixel(w);
        if (tiles) {
          set(gradient, winner, channels, static_cast<std::uint8_t>(w), pixel_gradient);
        } else {
          add(gradient, winner, channels, static_cast<std::uint8_t>(w), pixel_gradient);
        }
      }
    });
  }

 private:
  static void maximum(const float* source, std::size_t n, float* best) {
    for (std::size_t c = 0; c < n; ++c) best[c] = source[c] > best[c] ? source[c] : best[c];
  }
  void start(const float* source, std::size_t n, float* best, std::uint8_t* winner) const {
    // Above a ReLU nothing is below zero, and a zero that wins passes no gradient.
    for (std::size_t c = 0; c < n; ++c) best[c] = source[c];
    if (plan_.input_is_relu) {
      for (std::size_t c = 0; c < n; ++c) winner[c] = source[c] > 0.0F ? 0 : kDead;
    } else {
      std::fill_n(winner, n, std::uint8_t{0});
    }
  }
  static void maximum_with_winner(const float* source, std::size_t n, std::uint8_t w, float* best,
                                  std::uint8_t* winner) {
    for (std::size_t c = 0; c < n; ++c) {
      const bool wins = source[c] > best[c];
      winner[c] = wins ? w : winner[c];
      best[c] = wins ? source[c] : best[c];
    }
  }
  static void set(const float* gradient, const std::uint8_t* winner, std::size_t n, std::uint8_t w, float* out) {
    for (std::size_t c = 0; c < n; ++c) out[c] = winner[c] == w ? gradient[c] : 0.0F;
  }
  static void add(const float* gradient, const std::uint8_t* winner, std::size_t n, std::uint8_t w, float* out) {
    for (std::size_t c = 0; c < n; ++c) out[c] += winner[c] == w ? gradient[c] : 0.0F;
  }

  /// Offset of the w-th pixel of a window.
  std::size_t pixel(int w) const {
    return static_cast<std::size_t>((w / kernel_) * plan_.input.width + w % kernel_) *
           static_cast<std::size_t>(plan_.input.channels);
  }

  int kernel_;
  int stride_;
  LayerPlan plan_;
  std::vector<std::uint8_t> winners_;
};

}  // namespace

std::unique_ptr<Layer> make_max_pool(const MaxPool& pool, const LayerPlan& plan) {
  return std::make_unique<MaxPoolLayer>(pool, plan);
}

}  // namespace anybit
