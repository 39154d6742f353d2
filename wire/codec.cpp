#include "wire/codec.h"

#include <algorithm>

namespace anybit {
namespace {

const TensorSpec& tensor_of(const Layout& layout, int index) {
  return layout.tensors()[static_cast<std::size_t>(index)];
}

std::string check_tensors(const Layout& layout, std::span<const int> tensors, std::span<const float> values) {
  const auto count = static_cast<int>(layout.tensors().size());
  for (const int tensor : tensors)
    if (tensor < 0 || tensor >= count) return "tensor " + std::to_string(tensor) + " of " + std::to_string(count);
  if (values.size() != layout.size())
    return "buffer of " + std::to_string(values.size()) + " values for a layout of " + std::to_string(layout.size());
  return "";
}

}  // namespace

std::size_t Codec::code_bytes(const Layout& layout, std::span<const int> tensors) const {
  std::size_t bytes = 0;
  for (const int index : tensors) bytes += code_bytes(tensor_of(layout, index));
  return bytes;
}

std::string Codec::check_size(const Layout& layout, std::span<const int> tensors, std::size_t bytes) const {
  const std::size_t need = code_bytes(layout, tensors);
  if (bytes == need) return "";
  return "code has " + std::to_string(bytes) + " bytes, its tensors need " + std::to_string(need);
}

void Codec::encode(const Layout& layout, std::span<const int> tensors, std::span<const float> values,
                   const DrawName& draw, Bytes& out) const {
  out.reserve(out.size() + code_bytes(layout, tensors));
  for (const int index : tensors) {
    const TensorSpec& tensor = tensor_of(layout, index);
    const auto layer = static_cast<std::uint32_t>(index);
    encode_tensor(tensor, values.subspan(tensor.offset, tensor.size),
                  {draw.seed, Purpose::kCodec, draw.round, draw.client, draw.step, layer}, out);
  }
}

std::string Codec::decode(const Layout& layout, std::span<const int> tensors, std::span<const std::uint8_t> bytes,
                          std::span<float> values) const {
  if (std::string reason = check_tensors(layout, tensors, values); !reason.empty()) return reason;
  if (std::string reason = check_size(layout, tensors, bytes.size()); !reason.empty()) return reason;
  for (const int index : tensors) {
    const TensorSpec& tensor = tensor_of(layout, index);
    const std::span<const std::uint8_t> code = bytes.first(code_bytes(tensor));
    const std::span<float> into = values.subspan(tensor.offset, tensor.size);
    for (std::size_t first = 0; first < into.size(); first += kBlock) {
      const std::span<float> block = into.subspan(first, std::min(kBlock, into.size() - first));
      if (std::string reason = decode_block(tensor, code, first, block); !reason.empty()) return reason;
    }
    bytes = bytes.subspan(code.size());
  }
  return "";
}

}  // namespace anybit
