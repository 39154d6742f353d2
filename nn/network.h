#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nn/description.h"
#include "nn/parameters.h"
#include "nn/slots.h"

namespace anybit {

/// A dense or convolution node with its tensors.
struct WeightedLayer {
  int node = 0;
  int weight = 0;    // tensor index
  int bias = -1;     // tensor index, -1: none
  double flops = 0;  // multiply-adds times two of one example's forward pass
};

/// A checked description with shapes, tensors and slots worked out. Immutable; holds no weights (DESIGN D2).
class Network {
 public:
  explicit Network(Description description);

  const Description& description() const { return description_; }
  const std::vector<Shape>& shapes() const { return shapes_; }  // of each node's output
  Shape input_of(int node, int which = 0) const;
  const std::vector<TensorSpec>& tensors() const { return tensors_; }  // the layout's first tensors, with their places
  const std::vector<WeightedLayer>& weighted_layers() const { return weighted_; }
  const std::vector<SlotSite>& slots() const { return slots_; }
  /// First tensor index of a node's tensors; -1 for a node without any.
  int first_tensor(int node) const { return first_tensor_[static_cast<std::size_t>(node)]; }
  /// How many there are: weight and bias (or scale and shift), then running statistics.
  int tensor_count(int node) const { return tensor_count_[static_cast<std::size_t>(node)]; }
  /// In training the examples of a batch reach each other's outputs, so a batch must not be cut (DESIGN D3).
  bool uses_batch_statistics() const;
  /// Multiply-adds times two of one example's forward pass, convolutions and dense layers.
  double forward_flops() const;

  /// Fills the network's tensors as PyTorch's defaults do: uniform in +-1/sqrt(fan_in) for weights and biases of
  /// dense and convolution layers, 1 and 0 for norms and their running statistics (mean 0, square 1). `values` is the
  /// whole buffer.
  void initialize(std::span<float> values, std::uint64_t seed) const;

 private:
  Description description_;
  std::vector<Shape> shapes_;
  std::vector<TensorSpec> tensors_;
  std::vector<WeightedLayer> weighted_;
  std::vector<SlotSite> slots_;
  std::vector<int> first_tensor_;
  std::vector<int> tensor_count_;
};

}  // namespace anybit
