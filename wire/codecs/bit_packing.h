#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace anybit {

// Codes of `bits` (2 to 16) bits each, without gaps: code i holds bits [i*bits, (i+1)*bits) of the byte string, least
// significant bit first. The rest of the last byte is zero.

/// ceil(count * bits / 8).
std::size_t packed_bytes(std::size_t count, int bits);

/// Writes packed_bytes(codes.size(), bits) bytes. Codes must be below 2^bits.
void pack(std::span<const std::uint16_t> codes, int bits, std::uint8_t* out);

/// Reads as many codes as `codes` has room for. False where bits behind the last code are set.
bool unpack(const std::uint8_t* from, int bits, std::span<std::uint16_t> codes);

}  // namespace anybit
