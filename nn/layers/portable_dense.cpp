#include "nn/layers/portable.h"

#include "nn/kernels/kernels.h"
#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// The dense layer on Eigen: for machines that oneDNN has no fast code for, and the other implementation in its test.
class PortableDenseLayer final : public Layer {
 public:
  PortableDenseLayer(const Dense& dense, const LayerPlan& plan)
      : inputs_(static_cast<int>(plan.input.size())), outputs_(dense.outputs), plan_(plan) {
    fix_blocking();
  }

  void forward(const LayerPass& pass) override {
    const ConstMap x(pass.input[0], pass.rows, inputs_);
    Map y(pass.output, pass.rows, outputs_);
    if (plan_.wide_dense) {
      y.noalias() = x * ConstMap(pass.weight, inputs_, outputs_);
    } else {
      y.noalias() = x * ConstMap(pass.weight, outputs_, inputs_).transpose();
    }
    y.rowwise() += ConstRowMap(pass.bias, outputs_);
    if (plan_.fused_relu) y = y.cwiseMax(0.0F);
  }

  void backward(LayerGradient& pass) override {
    if (plan_.masks_gradient)
      kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient,
                              static_cast<std::size_t>(pass.rows) * plan_.output.size());
    const ConstMap x(pass.input[0], pass.rows, inputs_);
    const ConstMap dy(pass.output_gradient, pass.rows, outputs_);
    RowMap(pass.bias_gradient, outputs_) = dy.colwise().sum();
    if (plan_.wide_dense) {
      Map(pass.weight_gradient, inputs_, outputs_).noalias() = x.transpose() * dy;
    } else {
      Map(pass.weight_gradient, outputs_, inputs_).noalias() = dy.transpose() * x;
    }
    if (pass.input_gradient[0] == nullptr) return;
    Map dx(pass.input_gradient[0], pass.rows, inputs_);
    if (plan_.wide_dense) {
      dx.noalias() = dy * ConstMap(pass.weight, inputs_, outputs_).transpose();
    } else {
      dx.noalias() = dy * ConstMap(pass.weight, outputs_, inputs_);
    }
  }

 private:
  int inputs_;
  int outputs_;
  LayerPlan plan_;
};

}  // namespace

std::unique_ptr<Layer> make_portable_dense(const Dense& dense, const LayerPlan& plan) {
  return std::make_unique<PortableDenseLayer>(dense, plan);
}

}  // namespace anybit
