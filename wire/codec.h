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
///
/// A codec says how one tensor is coded, by the three virtual functions. The code of several is theirs in the order of
/// the list, without gaps: that is written once, in codec.cpp.
class Codec {
 public:
  virtual ~Codec() = default;

  /// Appends the code of the listed tensors of `values` to `out`. Draws, where there are any, are named by `draw`.
  void encode(const Layout& layout, std::span<const int> tensors, std::span<const float> values, const DrawName& draw,
              Bytes& out) const;
  /// Reads exactly `bytes` back into the listed tensors of `values`. Returns "" or the reason why the bytes are
  /// refused; `values` is then unspecified.
  std::string decode(const Layout& layout, std::span<const int> tensors, std::span<const std::uint8_t> bytes,
                     std::span<float> values) const;
  /// "" where the listed tensors, which are the layout's, have a code of so many bytes; else the reason.
  std::string check_size(const Layout& layout, std::span<const int> tensors, std::size_t bytes) const;

  /// How many values decode_block() takes at once, at most. They stay in a first-level cache; and a block starts at a
  /// whole byte, whatever the width of its codes.
  static constexpr std::size_t kBlock = 4096;

  /// The bytes of a tensor's code.
  virtual std::size_t code_bytes(const TensorSpec& tensor) const = 0;
  /// Appends the code of all values of a tensor. `draw` is this tensor's.
  virtual void encode_tensor(const TensorSpec& tensor, std::span<const float> values, const DrawName& draw,
                             Bytes& out) const = 0;
  /// Reads the values of a tensor from the `first`, a multiple of kBlock, on: kBlock of them, or up to the tensor's
  /// end. `code` is the whole tensor's and has its size. Returns "" or the reason why the block is refused; `values` is
  /// then unspecified. Blocks may be read in any order, by several threads.
  virtual std::string decode_block(const TensorSpec& tensor, std::span<const std::uint8_t> code, std::size_t first,
                                   std::span<float> values) const = 0;

 private:
  std::size_t code_bytes(const Layout& layout, std::span<const int> tensors) const;
};

using CodecTable = Table<std::unique_ptr<Codec>>;
/// float32, uniform.
const CodecTable& codecs();

}  // namespace anybit
