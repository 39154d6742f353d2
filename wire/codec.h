#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "nn/parameters.h"
#include "nn/random.h"
#include "scenarios/table.h"

namespace anybit {

using Bytes = std::vector<std::uint8_t>;

/// Turns a buffer of parameters (or of differences) into bytes and back. Stateless. The bytes describe only what the
/// layout does not: sizes are checked against it, never believed (DESIGN D10).
class Codec {
 public:
  virtual ~Codec() = default;
  /// Appends the code of the listed tensors of `values` to `out`. Draws, where there are any, are named by `draw`.
  virtual void encode(const Layout& layout, std::span<const int> tensors, std::span<const float> values,
                      const DrawName& draw, Bytes& out) const = 0;
  /// Reads exactly `bytes` back into the listed tensors of `values`. Returns "" or the reason why the bytes are
  /// refused; `values` is then unspecified.
  virtual std::string decode(const Layout& layout, std::span<const int> tensors, std::span<const std::uint8_t> bytes,
                             std::span<float> values) const = 0;
};

using CodecTable = Table<std::unique_ptr<Codec>>;
/// float32, uniform.
const CodecTable& codecs();

}  // namespace anybit
