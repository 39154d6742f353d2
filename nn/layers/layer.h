#pragma once

#include <array>
#include <cstddef>
#include <memory>

#include "nn/kernels/kernels.h"
#include "nn/network.h"

namespace anybit {

/// Where one forward pass of a layer reads and writes. Activations are rows x shape, NHWC.
struct LayerPass {
  int rung = 0;           // index of the prepared batch size
  int rows = 0;           // rows of the rung; all are computed, those beyond the live ones to any finite numbers
  int live = 0;           // rows that hold examples: what joins examples or draws for them looks at these only
  int first = 0;          // see Batch
  bool training = false;  // the first half of a gradient: dropout drops, moments are the batch's
  DrawName draw;          // its layer is the node's index; the purpose is the layer's to set
  std::array<const float*, 2> input{};
  float* output = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;                 // also: a norm's scale and shift stand in weight and bias
  std::array<const float*, 2> statistics{};    // running statistics, a node's tensors after the second
  std::array<float*, 2> updated_statistics{};  // where to update them in a training pass; null: leave them
};

/// The same for the backward pass. Rows beyond the batch's live ones have a zero output gradient.
struct LayerGradient {
  int rung = 0;
  int rows = 0;
  int live = 0;
  std::array<const float*, 2> input{};
  const float* output = nullptr;
  const float* weight = nullptr;
  const float* bias = nullptr;
  float* output_gradient = nullptr;  // may be changed in place where LayerPlan::masks_gradient is set
  /// Written, not added to; null where nobody wants it. A layer whose input's gradient is its output's may put
  /// output_gradient here instead and write nothing; for a second input every layer does.
  std::array<float*, 2> input_gradient{};
  float* weight_gradient = nullptr;
  float* bias_gradient = nullptr;
  /// An offer: a layer may take this step on `stepped_weight` (the place of `weight`) as it computes the gradient,
  /// instead of writing that out. It then sets `stepped`. Null where the gradient itself is wanted.
  const PlainStep* step = nullptr;
  float* stepped_weight = nullptr;
  bool stepped = false;
};

/// The prepared kernels of one node in one workspace: re-used for every batch, used by one thread at a time. Layers
/// allocate in their constructor only.
class Layer {
 public:
  virtual ~Layer() = default;
  virtual void forward(const LayerPass& pass) = 0;
  virtual void backward(LayerGradient& pass) = 0;
  /// Of the buffers that it owns.
  virtual std::size_t bytes() const { return 0; }
};

class OneDnn;

/// What a layer is made from.
struct LayerPlan {
  Shape input;
  Shape output;
  std::vector<int> rungs;       // batch sizes, largest first
  bool training = true;         // prepare the backward pass too
  bool input_gradient = true;   // somebody wants the gradient of the input
  bool fused_relu = false;      // output = max(0, .); the output gradient arrives unmasked
  bool masks_gradient = false;  // the layer itself zeroes the output gradient where its fused ReLU was at zero
  bool input_is_relu = false;   // the input is some ReLU's output, so a zero has no gradient
  bool wide_dense = false;      // dense weights are stored [in][out], else [out][in]
  bool portable = false;        // our own kernels alone, no oneDNN
  OneDnn* onednn = nullptr;
};

/// Makes the kernels of a node; a Relu that is fused into its predecessor has none.
std::unique_ptr<Layer> make_layer(const Operation& operation, const LayerPlan& plan);

}  // namespace anybit
