#pragma once

#include "nn/layers/layer.h"

namespace anybit {

// One maker per kind of node, each in the file of its name.
std::unique_ptr<Layer> make_dense(const Dense& dense, const LayerPlan& plan);
std::unique_ptr<Layer> make_narrow_dense(const Dense& dense, const LayerPlan& plan);  // of few outputs
std::unique_ptr<Layer> make_convolution(const Convolution& convolution, const LayerPlan& plan);
std::unique_ptr<Layer> make_winograd(const Convolution& convolution, const LayerPlan& plan);  // see nn/winograd.h
std::unique_ptr<Layer> make_portable_convolution(const Convolution& convolution, const LayerPlan& plan);
std::unique_ptr<Layer> make_max_pool(const MaxPool& pool, const LayerPlan& plan);
std::unique_ptr<Layer> make_average_pool(const AveragePool& pool, const LayerPlan& plan);
std::unique_ptr<Layer> make_relu(const LayerPlan& plan);
std::unique_ptr<Layer> make_group_norm(const GroupNorm& norm, const LayerPlan& plan);
std::unique_ptr<Layer> make_batch_norm(const BatchNorm& norm, const LayerPlan& plan);
std::unique_ptr<Layer> make_dropout(const Dropout& dropout, const LayerPlan& plan);
std::unique_ptr<Layer> make_add(const LayerPlan& plan);
std::unique_ptr<Layer> make_shortcut(const Shortcut& shortcut, const LayerPlan& plan);

}  // namespace anybit
