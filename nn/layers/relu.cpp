#include "nn/kernels/kernels.h"
#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// max(0, x) where no layer before could take it over.
class ReluLayer final : public Layer {
 public:
  explicit ReluLayer(const LayerPlan& plan) : size_(plan.input.size()) {}

  void forward(const LayerPass& pass) override {
    kernels().relu(pass.input[0], pass.output, static_cast<std::size_t>(pass.rows) * size_);
  }

  void backward(LayerGradient& pass) override {
    float* const to = pass.input_gradient[0];
    if (to == nullptr) return;
    kernels().relu_gradient(pass.output, pass.output_gradient, to, static_cast<std::size_t>(pass.rows) * size_);
  }

 private:
  std::size_t size_;
};

}  // namespace

std::unique_ptr<Layer> make_relu(const LayerPlan& plan) { return std::make_unique<ReluLayer>(plan); }

}  // namespace anybit
