#include <algorithm>
#include <cstdint>
#include <vector>

#include "nn/buffer.h"
#include "nn/kernels/kernels.h"
#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// Maximum over windows, channel by channel; remembers which pixel of the window won (the first on a tie). Above a ReLU
/// nothing is below zero, and a zero that wins passes no gradient.
class MaxPoolLayer final : public Layer {
 public:
  MaxPoolLayer(const MaxPool& pool, const LayerPlan& plan)
      : plan_(plan),
        windows_{0,
                 static_cast<std::size_t>(plan.input.height),
                 static_cast<std::size_t>(plan.input.width),
                 static_cast<std::size_t>(plan.output.height),
                 static_cast<std::size_t>(plan.output.width),
                 static_cast<std::size_t>(plan.input.channels),
                 static_cast<std::size_t>(pool.kernel),
                 static_cast<std::size_t>(pool.stride)} {
    if (plan.training) winners_.resize(static_cast<std::size_t>(plan.rungs.front()) * plan.output.size());
  }

  void forward(const LayerPass& pass) override {
    std::uint8_t* const winners = plan_.training ? winners_.data() : nullptr;
    kernels().max_pool(windows(pass.rows), pass.input[0], pass.output, winners, plan_.input_is_relu);
  }

  void backward(LayerGradient& pass) override {
    float* const to = pass.input_gradient[0];
    if (to == nullptr) return;
    if (!tiles()) std::fill_n(to, static_cast<std::size_t>(pass.rows) * plan_.input.size(), 0.0F);
    kernels().max_pool_gradient(windows(pass.rows), pass.output_gradient, winners_.data(), to, tiles());
  }

  std::size_t bytes() const override { return held_bytes(winners_); }

 private:
  PoolWindows windows(int rows) const {
    PoolWindows windows = windows_;
    windows.rows = static_cast<std::size_t>(rows);
    return windows;
  }

  /// Whether each input pixel is in exactly one window.
  bool tiles() const {
    return windows_.stride == windows_.kernel && windows_.in_height % windows_.kernel == 0 &&
           windows_.in_width % windows_.kernel == 0;
  }

  LayerPlan plan_;
  PoolWindows windows_;
  std::vector<std::uint8_t> winners_;
};

}  // namespace

std::unique_ptr<Layer> make_max_pool(const MaxPool& pool, const LayerPlan& plan) {
  return std::make_unique<MaxPoolLayer>(pool, plan);
}

}  // namespace anybit
