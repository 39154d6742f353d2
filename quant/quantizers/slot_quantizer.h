#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "quant/method.h"
#include "quant/quantizers/range_rule.h"

namespace anybit {

/// The size of an array by width.
inline constexpr std::size_t kArrayByWidth = kLargestWidth + 1;

/// The widths of one slot at a step; never float.
struct SlotWidths {
  int own = 0;
  int weight = 0;  // of its layer's weight: names the draws, so that passes of a step at several widths differ
};

/// The quantizer of one slot as one thread uses it, re-used for every client that the thread plays. Forward and
/// backward are SlotFunction's (nn/slots.h). All memory is taken at construction and with the first client.
class SlotQuantizer {
 public:
  virtual ~SlotQuantizer() = default;
  /// What it fixes for a client's round, from the received buffer.
  virtual void begin_client(std::span<const float> /*parameters*/) {}
  /// The passes from here on are at these widths. Throws std::invalid_argument for one that it has no tensor for.
  virtual void begin_step(SlotWidths widths, const Moment& moment) = 0;
  /// Marks the tensors of the layout that only passes of this width train.
  virtual void mark_trained(std::span<std::uint8_t> /*tensors*/) const {}
  virtual bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass& pass) = 0;
  virtual void backward(const SlotSite& site, std::span<const float> before, std::span<const float> after,
                        std::span<float> gradient, SlotPass& pass) = 0;
  virtual bool only_clips(PlainStep& step) const = 0;
  virtual std::size_t bytes() const = 0;
};

/// What a quantizer is made for.
struct SlotPlace {
  const SlotSite& site;
  const Layout& layout;
  std::vector<int> widths;  // that the slot can have, ascending, without float
  FitScratch& scratch;      // all slots' of a thread
  Passes passes = Passes::kTraining;
};

/// What a method puts into the slots of one kind, weights or activations: declares the tensors that it learns or keeps,
/// gives them their first values, and makes the quantizers. The slots' names begin the tensors' names.
class SlotQuantizerKind {
 public:
  virtual ~SlotQuantizerKind() = default;
  /// Of the slot at these widths; `network` describes its weight.
  virtual std::vector<TensorSpec> tensors(const Network& /*network*/, const SlotSite& /*site*/,
                                          std::span<const int> /*widths*/) const {
    return {};
  }
  /// `values` has the network's first values.
  virtual void initialize(const Layout& /*layout*/, const SlotSite& /*site*/, std::span<const int> /*widths*/,
                          std::span<float> /*values*/) const {}
  virtual std::unique_ptr<SlotQuantizer> make(const SlotPlace& place) const = 0;
  /// Of activations: the range of the trained grid; see SlotQuantizers.
  virtual Range range(const Layout& /*layout*/, const SlotSite& /*site*/, std::span<const int> /*widths*/,
                      std::span<const float> /*parameters*/) const {
    return {};
  }
};

/// Draws of a slot's own, one an element, uniform in [low, high): named by the slot and its layer's weight's width.
void fill_slot_draws(const SlotSite& site, SlotWidths widths, Purpose purpose, float low, float high,
                     std::span<float> out, const SlotPass& pass);

std::span<const float> tensor_of(const Layout& layout, int index, std::span<const float> buffer);
std::span<float> tensor_of(const Layout& layout, int index, std::span<float> buffer);

}  // namespace anybit
