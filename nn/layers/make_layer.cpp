#include "nn/layers/layers.h"
#include "nn/winograd.h"

namespace anybit {
namespace {

struct Make {
  const LayerPlan& plan;
  std::unique_ptr<Layer> operator()(const Dense& o) const {
    return plan.wide_dense ? make_dense(o, plan) : make_narrow_dense(o, plan);
  }
  std::unique_ptr<Layer> operator()(const Convolution& o) const {
    if (takes_winograd(o, plan.input, plan.output)) return make_winograd(o, plan);
    return plan.portable ? make_portable_convolution(o, plan) : make_convolution(o, plan);
  }
  std::unique_ptr<Layer> operator()(const MaxPool& o) const { return make_max_pool(o, plan); }
  std::unique_ptr<Layer> operator()(const AveragePool& o) const { return make_average_pool(o, plan); }
  std::unique_ptr<Layer> operator()(const Relu&) const { return make_relu(plan); }
  std::unique_ptr<Layer> operator()(const GroupNorm& o) const { return make_group_norm(o, plan); }
  std::unique_ptr<Layer> operator()(const BatchNorm& o) const { return make_batch_norm(o, plan); }
  std::unique_ptr<Layer> operator()(const Dropout& o) const { return make_dropout(o, plan); }
  std::unique_ptr<Layer> operator()(const Add&) const { return make_add(plan); }
  std::unique_ptr<Layer> operator()(const Shortcut& o) const { return make_shortcut(o, plan); }
};

}  // namespace

std::unique_ptr<Layer> make_layer(const Operation& operation, const LayerPlan& plan) {
  return std::visit(Make{plan}, operation);
}

}  // namespace anybit
