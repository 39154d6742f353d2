#include <algorithm>

#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// max(0, x) where no layer before could take it over.
class ReluLayer final : public Layer {
 public:
  explicit ReluLayer(const LayerPlan& plan) : size_(plan.input.size()) {}

  void forward(const LayerPass& pass) override {
    const std::size_t n = static_cast<std::size_t>(pass.rows) * size_;
    for (std::size_t i = 0; i < n; ++i) pass.output[i] = pass.input[0][i] > 0.0F ? pass.input[0][i] : 0.0F;
  }

  void backward(const LayerGradient& pass) override {
    float* const to = pass.input_gradient[0];
    if (to == nullptr) return;
    const std::size_t n = static_cast<std::size_t>(pass.rows) * size_;
    for (std::size_t i = 0; i < n; ++i) to[i] = pass.output[i] > 0.0F ? pass.output_gradient[i] : 0.0F;
  }

 private:
  std::size_t size_;
};

}  // namespace

std::unique_ptr<Layer> make_relu(const LayerPlan& plan) { return std::make_unique<ReluLayer>(plan); }

}  // namespace anybit
