#pragma once

#include <cstdint>
#include <span>

#include "wire/codec.h"

namespace anybit {

/// Writes the values as little-endian IEEE floats at `out`, which has 4 bytes for each.
void write_floats(std::span<const float> values, std::uint8_t* out);

/// Reads 4 bytes for each of `values`. False where one of them is not finite.
bool read_floats(const std::uint8_t* from, std::span<float> values);

/// The bits of max |x|: of a not-a-number or an infinity where there is one, 0 for no values.
std::uint32_t largest_magnitude_bits(std::span<const float> values);

/// Bits from here on, sign aside, are infinities and not-a-numbers.
inline constexpr std::uint32_t kInfinityBits = 0x7f800000;

/// "" where the listed tensors are of the layout and `values` is a buffer of it; else the reason.
std::string check_tensors(const Layout& layout, std::span<const int> tensors, std::span<const float> values);

/// "" where `have` bytes are as many as the tensors `need`; else the reason.
std::string check_size(std::size_t have, std::size_t need);

}  // namespace anybit
