#include "nn/kernels/kernels.h"
#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// The sum of two branches; each gets the whole gradient.
class AddLayer final : public Layer {
 public:
  explicit AddLayer(const LayerPlan& plan)
      : size_(plan.input.size()), relu_(plan.fused_relu), masks_gradient_(plan.masks_gradient) {}

  void forward(const LayerPass& pass) override {
    const auto add = relu_ ? kernels().add_relu : kernels().add;
    add(pass.input[0], pass.input[1], pass.output, static_cast<std::size_t>(pass.rows) * size_);
  }

  void backward(LayerGradient& pass) override {
    if (masks_gradient_)
      kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient,
                              static_cast<std::size_t>(pass.rows) * size_);
    for (float*& to : pass.input_gradient)
      if (to != nullptr) to = pass.output_gradient;
  }

 private:
  std::size_t size_;
  bool relu_;
  bool masks_gradient_;
};

}  // namespace

std::unique_ptr<Layer> make_add(const LayerPlan& plan) { return std::make_unique<AddLayer>(plan); }

}  // namespace anybit
