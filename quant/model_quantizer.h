#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/network.h"
#include "nn/parameters.h"
#include "quant/method.h"

namespace anybit {

/// The range of grid points at which a model's weights and activations are what the quantizers of its own method make
/// of them, in evaluation passes. Such a point has no other range, and `granularity` says kTrainedRange, too.
inline constexpr const char* kTrainedRange = "trained";

/// One point of an evaluation grid.
struct GridPoint {
  int weights = 32;
  int activations = 32;
  std::string range = "minmax";        // one of range_rules()
  std::string granularity = "tensor";  // or "channel"; kTrainedRange with that range
  int first = 0;                       // width of the first layer; 0: as the others
  int last = 0;
  WeightFit fit = {};  // that of the method that trained the model
};

inline bool is_trained(const GridPoint& point) { return point.range == kTrainedRange; }
/// Nothing is quantized. The first and last layer's widths count only where the others are.
inline bool is_float(const GridPoint& point) {
  return point.weights == kFloatWidth && point.activations == kFloatWidth;
}
/// The quantizers of the method have something to do.
inline bool asks_method(const GridPoint& point) { return is_trained(point) && !is_float(point); }

/// The width of every slot at a point.
std::vector<std::uint8_t> slot_widths(const Network& network, const GridPoint& point);

/// Why the method's quantizers cannot be asked about a point of their own range, in a user's words: there are none, or
/// they have nothing for its widths. "" where they can, where the point quantizes nothing, and for the other ranges.
std::string trained_mismatch(const Method& method, const std::shared_ptr<const Network>& network,
                             const std::shared_ptr<const Layout>& layout, const GridPoint& point);

/// Why the weights cannot be quantized at this point: it asks for learned steps, and the layout holds none at a layer's
/// width (the first and last one's included) or granularity. "" where they can, and for the other rules.
std::string learned_mismatch(const Layout& layout, const Network& network, const GridPoint& point);

/// The weights of a trained model as they are at a grid point: a copy of `parameters` with every weight tensor
/// replaced by its quantized values. Biases and norms stay float.
Parameters quantize_weights(const Network& network, const Parameters& parameters, const GridPoint& point);

/// The bytes of the room that quantize_weights() needs beside the copy, while it works. Min-max needs next to none.
std::size_t quantizing_bytes(const Network& network, const GridPoint& point);

/// A slot function that quantizes activations at fixed widths and ranges (asymmetric, per tensor) and leaves weights
/// alone: for evaluation after quantize_weights.
std::unique_ptr<SlotFunction> make_activation_quantizer(const Network& network, std::vector<Range> ranges,
                                                        const GridPoint& point);

/// A slot function that only watches: low and high of every activation slot over all batches it sees.
class RangeObserver final : public SlotFunction {
 public:
  explicit RangeObserver(const Network& network);
  bool forward(const SlotSite&, std::span<const float> before, std::span<float> after, SlotPass&) override;
  void backward(const SlotSite&, std::span<const float>, std::span<const float>, std::span<float>, SlotPass&) override;
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  std::vector<Range> ranges_;
};

/// What a grid point can have for its range, with help (`anybit-sim list quantizers`): the rules of range_rule_table(),
/// which methods offer, too, and kTrainedRange.
const std::vector<RowInfo>& range_rules();

}  // namespace anybit
