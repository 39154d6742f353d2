#include "nn/kernels/kernels.h"
#include "nn/layers/layers.h"
#include "nn/layers/onednn.h"
#include "nn/layers/sums.h"
#include "nn/layers/weight_gradient.h"

namespace anybit {
namespace {

using Desc = dnnl::memory::desc;

/// y = x W + b on oneDNN's matrix product, the weight's gradient on our own. W is stored [in][out].
class DenseLayer final : public Layer {
 public:
  DenseLayer(const Dense& dense, const LayerPlan& plan)
      : inputs_(static_cast<int>(plan.input.size())), outputs_(dense.outputs), plan_(plan), onednn_(*plan.onednn) {
    for (const int rows : plan.rungs) rungs_.push_back(prepare(rows));
  }

  void forward(const LayerPass& pass) override {
    Prepared& product = rungs_[static_cast<std::size_t>(pass.rung)].forward;
    product.set(DNNL_ARG_SRC, pass.input[0]);
    product.set(DNNL_ARG_WEIGHTS, pass.weight);
    product.set(DNNL_ARG_BIAS, pass.bias);
    product.set(DNNL_ARG_DST, pass.output);
    product.run(onednn_);
  }

  void backward(LayerGradient& pass) override {
    const std::size_t outputs = static_cast<std::size_t>(outputs_);
    const std::size_t rows = static_cast<std::size_t>(pass.rows);
    if (plan_.fused_relu)
      kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient, rows * outputs);
    sum_over_rows(pass.output_gradient, rows, outputs, pass.bias_gradient);

    if (pass.input_gradient[0] != nullptr) {  // before the weight takes a step
      Prepared& product = rungs_[static_cast<std::size_t>(pass.rung)].data_gradient;
      product.set(DNNL_ARG_SRC, pass.output_gradient);
      product.set(DNNL_ARG_WEIGHTS, pass.weight);
      product.set(DNNL_ARG_DST, pass.input_gradient[0]);
      product.run(onednn_);
    }
    const std::size_t inputs = static_cast<std::size_t>(inputs_);
    DenseWeightGradient{pass.input[0], pass.output_gradient, rows, inputs, outputs}.apply(pass);
  }

 private:
  struct Rung {
    Prepared forward, data_gradient;
  };

  Prepared product(const Desc& left, const Desc& right, const Desc& result, const Desc& bias, bool relu) {
    const dnnl::matmul::desc description =
        bias.is_zero() ? dnnl::matmul::desc(left, right, result) : dnnl::matmul::desc(left, right, bias, result);
    const dnnl::matmul::primitive_desc chosen(description, OneDnn::attributes(relu), onednn_.engine());
    refuse_reference(chosen.impl_info_str(), "dense layer");
    std::vector<std::pair<int, Desc>> arguments{
        {DNNL_ARG_SRC, left}, {DNNL_ARG_WEIGHTS, right}, {DNNL_ARG_DST, result}};
    if (!bias.is_zero()) arguments.emplace_back(DNNL_ARG_BIAS, bias);
    return {onednn_, dnnl::matmul(chosen), chosen.scratchpad_desc(), arguments};
  }

  Rung prepare(int rows) {
    const Desc source = matrix(rows, inputs_);
    const Desc target = matrix(rows, outputs_);
    Rung rung;
    rung.forward = product(source, matrix(inputs_, outputs_), target, matrix(1, outputs_), plan_.fused_relu);
    if (!plan_.training) return rung;
    if (plan_.input_gradient) rung.data_gradient = product(target, matrix(outputs_, inputs_, true), source, {}, false);
    return rung;
  }

  int inputs_;
  int outputs_;
  LayerPlan plan_;
  OneDnn& onednn_;
  std::vector<Rung> rungs_;
};

}  // namespace

std::unique_ptr<Layer> make_dense(const Dense& dense, const LayerPlan& plan) {
  return std::make_unique<DenseLayer>(dense, plan);
}

}  // namespace anybit
