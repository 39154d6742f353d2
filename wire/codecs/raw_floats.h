#pragma once

#include <cstdint>
#include <span>

#include "wire/codec.h"

namespace anybit {

/// Appends the values as little-endian IEEE floats, 4 bytes each.
void append_floats(std::span<const float> values, Bytes& out);

/// Codec::decode_block() of a tensor whose values stand in its code as floats.
std::string read_float_block(const TensorSpec& tensor, std::span<const std::uint8_t> code, std::size_t first,
                             std::span<float> values);

/// The bits of max |x|: of a not-a-number or an infinity where there is one, 0 for no values.
std::uint32_t largest_magnitude_bits(std::span<const float> values);

/// Bits from here on, sign aside, are infinities and not-a-numbers.
inline constexpr std::uint32_t kInfinityBits = 0x7f800000;

}  // namespace anybit
