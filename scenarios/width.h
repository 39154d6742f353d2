#pragma once

#include <cstdint>

namespace anybit {

/// The width, in bits, of what is not quantized.
inline constexpr std::uint8_t kFloatWidth = 32;

/// A width that weights and activations can have, in bits.
constexpr bool is_width(std::int64_t bits) { return (bits >= 2 && bits <= 16) || bits == kFloatWidth; }

}  // namespace anybit
