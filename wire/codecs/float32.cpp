#include <algorithm>
#include <bit>
#include <cstring>

#include "wire/codecs/raw_floats.h"
#include "wire/codecs/rows.h"

namespace anybit {

// A big-endian machine would have to turn bytes here and in uniform.cpp.
static_assert(std::endian::native == std::endian::little);

void write_floats(std::span<const float> values, std::uint8_t* out) {
  if (!values.empty()) std::memcpy(out, values.data(), values.size_bytes());
}

bool read_floats(const std::uint8_t* from, std::span<float> values) {
  if (!values.empty()) std::memcpy(values.data(), from, values.size_bytes());
  return largest_magnitude_bits(values) < kInfinityBits;
}

std::uint32_t largest_magnitude_bits(std::span<const float> values) {
  // Finite magnitudes order like their bits, and everything that is not finite lies above them.
  std::uint32_t largest = 0;
  for (const float value : values) largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffU);
  return largest;
}

std::string check_tensors(const Layout& layout, std::span<const int> tensors, std::span<const float> values) {
  const auto count = static_cast<int>(layout.tensors().size());
  for (const int tensor : tensors)
    if (tensor < 0 || tensor >= count) return "tensor " + std::to_string(tensor) + " of " + std::to_string(count);
  if (values.size() != layout.size())
    return "buffer of " + std::to_string(values.size()) + " values for a layout of " + std::to_string(layout.size());
  return "";
}

std::string check_size(std::size_t have, std::size_t need) {
  if (have == need) return "";
  return "code has " + std::to_string(have) + " bytes, its tensors need " + std::to_string(need);
}

namespace {

/// Every value as it is: 4 bytes each, tensor after tensor.
class Float32Codec : public Codec {
 public:
  void encode(const Layout& layout, std::span<const int> tensors, std::span<const float> values, const DrawName&,
              Bytes& out) const override {
    std::size_t at = out.size();
    out.resize(at + encoded_bytes(layout, tensors));
    for (const int index : tensors) {
      const TensorSpec& tensor = layout.tensors()[static_cast<std::size_t>(index)];
      write_floats(values.subspan(tensor.offset, tensor.size), out.data() + at);
      at += tensor.size * sizeof(float);
    }
  }

  std::string decode(const Layout& layout, std::span<const int> tensors, std::span<const std::uint8_t> bytes,
                     std::span<float> values) const override {
    if (std::string reason = check_tensors(layout, tensors, values); !reason.empty()) return reason;
    if (std::string reason = check_size(bytes.size(), encoded_bytes(layout, tensors)); !reason.empty()) return reason;
    const std::uint8_t* from = bytes.data();
    for (const int index : tensors) {
      const TensorSpec& tensor = layout.tensors()[static_cast<std::size_t>(index)];
      if (!read_floats(from, values.subspan(tensor.offset, tensor.size)))
        return "tensor " + tensor.name + " has a value that is not finite";
      from += tensor.size * sizeof(float);
    }
    return "";
  }

 private:
  static std::size_t encoded_bytes(const Layout& layout, std::span<const int> tensors) {
    std::size_t bytes = 0;
    for (const int index : tensors) bytes += layout.tensors()[static_cast<std::size_t>(index)].size * sizeof(float);
    return bytes;
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
