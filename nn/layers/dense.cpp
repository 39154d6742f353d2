#include "nn/kernels/products.h"
#include "nn/layers/layers.h"
#include "nn/layers/onednn.h"
#include "nn/layers/sums.h"
#include "nn/layers/weight_gradient.h"

namespace anybit {
namespace {

using Desc = dnnl::memory::desc;

/// y = x W + b, W stored [in][out]. Our own kernels but for the input's gradient, where oneDNN's product is faster on
/// machines that it has fast code for.
class DenseLayer final : public Layer {
 public:
  DenseLayer(const Dense& dense, const LayerPlan& plan)
      : inputs_(static_cast<int>(plan.input.size())), outputs_(dense.outputs), plan_(plan), onednn_(*plan.onednn) {
    if (!plan.training || !plan.input_gradient || plan.portable) return;
    for (const int rows : plan.rungs) data_gradients_.push_back(prepare_data_gradient(rows));
  }

  void forward(const LayerPass& pass) override {
    const auto inputs = static_cast<std::size_t>(inputs_);
    const auto outputs = static_cast<std::size_t>(outputs_);
    SumOfRows sums =
        product(pass.input[0], pass.weight, pass.output, static_cast<std::size_t>(pass.rows), outputs, inputs);
    sums.start = pass.bias;
    sums.relu = plan_.fused_relu;
    kernels().sum_of_rows(sums);
  }

  void backward(LayerGradient& pass) override {
    const std::size_t outputs = static_cast<std::size_t>(outputs_);
    const std::size_t rows = static_cast<std::size_t>(pass.rows);
    if (plan_.masks_gradient)
      kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient, rows * outputs);
    sum_over_rows(pass.output_gradient, rows, outputs, pass.bias_gradient);

    if (pass.input_gradient[0] != nullptr && plan_.portable) {  // before the weight takes a step
      kernels().dots_of_rows({.left = pass.output_gradient,
                              .right = pass.weight,
                              .start = nullptr,
                              .c = pass.input_gradient[0],
                              .rows = rows,
                              .columns = static_cast<std::size_t>(inputs_),
                              .terms = outputs,
                              .relu = false});
    } else if (pass.input_gradient[0] != nullptr) {
      Prepared& product = data_gradients_[static_cast<std::size_t>(pass.rung)];
      product.set(DNNL_ARG_SRC, pass.output_gradient);
      product.set(DNNL_ARG_WEIGHTS, pass.weight);
      product.set(DNNL_ARG_DST, pass.input_gradient[0]);
      product.run(onednn_);
    }
    const std::size_t inputs = static_cast<std::size_t>(inputs_);
    DenseWeightGradient{pass.input[0], pass.output_gradient, rows, inputs, outputs}.apply(pass);
  }

 private:
  Prepared prepare_data_gradient(int rows) {
    const Desc target = matrix(rows, outputs_);
    const Desc weight = matrix(outputs_, inputs_, true);
    const Desc source = matrix(rows, inputs_);
    const dnnl::matmul::primitive_desc chosen(dnnl::matmul::desc(target, weight, source), OneDnn::attributes(),
                                              onednn_.engine());
    refuse_reference(chosen.impl_info_str(), "dense layer");
    return {onednn_,
            dnnl::matmul(chosen),
            chosen.scratchpad_desc(),
            {{DNNL_ARG_SRC, target}, {DNNL_ARG_WEIGHTS, weight}, {DNNL_ARG_DST, source}}};
  }

  int inputs_;
  int outputs_;
  LayerPlan plan_;
  OneDnn& onednn_;
  std::vector<Prepared> data_gradients_;  // by rung, where anybody wants them of oneDNN
};

}  // namespace

std::unique_ptr<Layer> make_dense(const Dense& dense, const LayerPlan& plan) {
  return std::make_unique<DenseLayer>(dense, plan);
}

}  // namespace anybit
