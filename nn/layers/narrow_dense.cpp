#include "nn/kernels/kernels.h"
#include "nn/layers/layers.h"
#include "nn/layers/sums.h"
#include "nn/layers/weight_gradient.h"

namespace anybit {
namespace {

/// y = x W^T + b for few outputs, W stored [out][in], on our own kernels: such a product takes about as long as calling
/// oneDNN does.
class NarrowDenseLayer final : public Layer {
 public:
  NarrowDenseLayer(const Dense& dense, const LayerPlan& plan)
      : inputs_(plan.input.size()),
        outputs_(static_cast<std::size_t>(dense.outputs)),
        fused_relu_(plan.fused_relu),
        masks_gradient_(plan.masks_gradient) {}

  void forward(const LayerPass& pass) override {
    kernels().dots_of_rows({.left = pass.input[0],
                            .right = pass.weight,
                            .start = pass.bias,
                            .c = pass.output,
                            .rows = static_cast<std::size_t>(pass.rows),
                            .columns = outputs_,
                            .terms = inputs_,
                            .relu = fused_relu_});
  }

  void backward(LayerGradient& pass) override {
    const auto rows = static_cast<std::size_t>(pass.rows);
    if (masks_gradient_)
      kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient, rows * outputs_);
    sum_over_rows(pass.output_gradient, rows, outputs_, pass.bias_gradient);
    if (pass.input_gradient[0] != nullptr)  // before the weight takes a step
      kernels().sum_of_rows({.coefficients = pass.output_gradient,
                             .term_stride = 1,
                             .row_stride = outputs_,
                             .v = pass.weight,
                             .v_stride = inputs_,
                             .start = nullptr,
                             .c = pass.input_gradient[0],
                             .c_stride = inputs_,
                             .rows = rows,
                             .columns = inputs_,
                             .terms = outputs_,
                             .relu = false});
    DenseWeightGradient{pass.output_gradient, pass.input[0], rows, outputs_, inputs_}.apply(pass);
  }

 private:
  std::size_t inputs_;
  std::size_t outputs_;
  bool fused_relu_;
  bool masks_gradient_;
};

}  // namespace

std::unique_ptr<Layer> make_narrow_dense(const Dense& dense, const LayerPlan& plan) {
  return std::make_unique<NarrowDenseLayer>(dense, plan);
}

}  // namespace anybit
