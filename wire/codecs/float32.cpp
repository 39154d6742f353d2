#include <algorithm>
#include <bit>
#include <cstring>

#include "wire/codecs/raw_floats.h"
#include "wire/codecs/rows.h"

namespace anybit {

// A big-endian machine would have to turn bytes here and in uniform.cpp.
static_assert(std::endian::native == std::endian::little);

void append_floats(std::span<const float> values, Bytes& out) {
  const auto* from = reinterpret_cast<const std::uint8_t*>(values.data());
  out.insert(out.end(), from, from + values.size_bytes());
}

std::uint32_t largest_magnitude_bits(std::span<const float> values) {
  // Finite magnitudes order like their bits, and everything that is not finite lies above them.
  std::uint32_t largest = 0;
  for (const float value : values) largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffU);
  return largest;
}

std::string read_float_block(const TensorSpec& tensor, std::span<const std::uint8_t> code, std::size_t first,
                             std::span<float> values) {
  if (!values.empty()) std::memcpy(values.data(), code.data() + first * sizeof(float), values.size_bytes());
  if (largest_magnitude_bits(values) < kInfinityBits) return "";
  return "tensor " + tensor.name + " has a value that is not finite";
}

namespace {

/// Every value as it is: 4 bytes each, tensor after tensor.
class Float32Codec : public Codec {
 public:
  std::size_t code_bytes(const TensorSpec& tensor) const override { return tensor.size * sizeof(float); }

  void encode_tensor(const TensorSpec&, std::span<const float> values, const DrawName&, Bytes& out) const override {
    append_floats(values, out);
  }

  std::string decode_block(const TensorSpec& tensor, std::span<const std::uint8_t> code, std::size_t first,
                           std::span<float> values) const override {
    return read_float_block(tensor, code, first, values);
  }
};

}  // namespace

CodecTable::Row float32_row() {
  return {{.name = "float32",
           .help = "every value as a 32-bit float",
           .paper = "",
           .options = {},
           .neutral = {"", {}, {}, "the row that others are compared with"}},
          [](const Options&) -> std::unique_ptr<Codec> { return std::make_unique<Float32Codec>(); }};
}

}  // namespace anybit
