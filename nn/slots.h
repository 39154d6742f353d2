#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "nn/kernels/kernels.h"
#include "nn/random.h"

namespace anybit {

/// The places of a network where numbers can be quantized (DESIGN D4). Every weighted layer (dense, convolution) has
/// two: its weight, and the value that it reads. Low-precision training adds more kinds here.
enum class SlotKind : std::uint8_t { kWeight, kActivation };

/// One slot. Slots of a network are numbered 2 * l (weight) and 2 * l + 1 (activation) for weighted layer l.
struct SlotSite {
  int slot = 0;
  SlotKind kind = SlotKind::kWeight;
  std::string name;  // "conv1.weight", "conv1.input"
  int layer = 0;     // weighted layer, from the input
  int tensor = -1;   // the weight's tensor in the layout; -1 for activations
  int channels = 1;  // groups: see TensorSpec
  int channel_stride = 1;
  bool first = false;  // belongs to the first weighted layer
  bool last = false;
  std::size_t size = 0;  // elements: of the weight, or of one example's activation
  /// Of an activation: it is never below zero, being a ReLU's output or what pooling, dropout and shortcuts leave of
  /// one.
  bool non_negative = false;
};

/// What a slot function may see and add to in one pass.
struct SlotPass {
  std::span<const float> parameters;  // the whole buffer, for learned steps and stored ranges
  std::span<float> statistics;        // the whole buffer to update running statistics in; empty: leave them
  std::span<float> gradients;         // the whole gradient buffer; empty in a forward-only pass
  DrawName draw;                      // purpose and layer are the function's to set
};

/// A function on the numbers of a slot; the network calls it, quant/ implements it. One object per thread, re-used for
/// every client that the thread plays; it may keep scratch between forward and backward of a pass.
class SlotFunction {
 public:
  virtual ~SlotFunction() = default;

  /// Writes what the layer shall use instead of `before` into `after` (same size) and returns true, or returns false:
  /// the layer then reads `before` itself and backward is not called. Activations hold live rows only.
  virtual bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass& pass) = 0;

  /// `gradient` comes in as dL/dafter and leaves as dL/dbefore; gradients of the slot's own parameters are added to
  /// pass.gradients. Not called for a layer that reads the image: nobody needs that gradient and it is dear, so a slot
  /// there (site.first, activation) cannot learn by it.
  virtual void backward(const SlotSite& site, std::span<const float> before, std::span<const float> after,
                        std::span<float> gradient, SlotPass& pass) = 0;

  /// True where backward() for this weight, after this pass's forward(), does nothing but zero the gradient outside of
  /// an interval, or nothing at all: `step` then gets that interval, and a layer may do it as it takes its step. Where
  /// false, `step` is left as it is.
  virtual bool only_clips(const SlotSite& /*site*/, PlainStep& /*step*/) const { return false; }
};

}  // namespace anybit
