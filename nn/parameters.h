#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/buffer.h"
#include "nn/kernels/kernels.h"

namespace anybit {

/// What a tensor is to the network.
enum class Role : std::uint8_t { kWeight, kBias, kNorm, kQuantizer, kStatistic };

/// How a tensor is joined over clients (DESIGN D1).
enum class Merge : std::uint8_t {
  kMean,       // weighted mean
  kLogMean,    // stored as log2, so also a plain mean; the name tells readers what the number is
  kMax,        // elementwise maximum
  kSum,        // a statistic: zeroed at broadcast, added up for the method's server part, never written back
  kServer,     // broadcast only
  kRecompute,  // a pure function of merged tensors, run by the server
  kLocal,      // never leaves the client
};

std::string_view to_string(Role role);
std::string_view to_string(Merge merge);

/// How the optimiser treats a tensor.
struct OptimizerGroup {
  float rate = 1.0F;  // multiplies the learning rate; 0: the optimiser leaves the tensor alone
  bool decay = true;  // takes part in weight decay
};

/// The step on a tensor of a group.
inline PlainStep step_of(const PlainStep& step, const OptimizerGroup& group) {
  return {step.rate * group.rate, step.scale, group.decay ? step.decay : 0.0F};
}

/// One named tensor of the parameter buffer.
struct TensorSpec {
  std::string name;  // "conv1.weight"
  std::vector<int> shape;
  Role role = Role::kWeight;
  Merge merge = Merge::kMean;
  OptimizerGroup group = {};
  /// Output channels are the quantization groups of a weight: element i belongs to channel
  /// (i / channel_stride) % channels. 1 channel: the tensor is one group.
  int channels = 1;
  int channel_stride = 1;
  // Filled in by the layout:
  std::size_t offset = 0;
  std::size_t size = 0;
};

/// Joined by a weighted mean over clients, of values or of their logarithms.
inline bool is_merged_by_mean(const TensorSpec& tensor) {
  return tensor.merge == Merge::kMean || tensor.merge == Merge::kLogMean;
}

/// The immutable list of named tensors of a parameter buffer; shared by all that hold such a buffer. Tensors follow
/// each other without gaps: the network's first, then the method's.
class Layout {
 public:
  explicit Layout(std::vector<TensorSpec> tensors);

  const std::vector<TensorSpec>& tensors() const { return tensors_; }
  std::size_t size() const { return size_; }
  /// Index by name; throws std::out_of_range naming the tensor.
  int index(std::string_view name) const;
  /// FNV-1a over names, shapes, roles and merge rules: equal digests mean that buffers can be exchanged.
  std::uint64_t digest() const { return digest_; }

 private:
  std::vector<TensorSpec> tensors_;
  std::size_t size_ = 0;
  std::uint64_t digest_ = 0;
};

/// All parameters of a network, contiguous, with their layout (DESIGN D1). A copy is one memcpy.
struct Parameters {
  std::shared_ptr<const Layout> layout;
  FloatBuffer values;

  Parameters() = default;
  explicit Parameters(std::shared_ptr<const Layout> of) : layout(std::move(of)), values(layout->size(), 0.0F) {}

  std::span<float> tensor(int index) {
    const TensorSpec& t = layout->tensors()[static_cast<std::size_t>(index)];
    return std::span<float>(values).subspan(t.offset, t.size);
  }
  std::span<const float> tensor(int index) const {
    const TensorSpec& t = layout->tensors()[static_cast<std::size_t>(index)];
    return std::span<const float>(values).subspan(t.offset, t.size);
  }
};

}  // namespace anybit
