#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace anybit {

/// The table-driven reference of crc32c() (message.h): what machines without the instruction use, and what the tests
/// hold the fast one against.
std::uint32_t crc32c_portable(std::span<const std::uint8_t> bytes, std::uint32_t seed = 0);

/// The checksum of a followed by b, from crc32c(a), crc32c(b) and how many bytes b has, without reading either: what
/// is sent to many is summed once.
std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t bytes_b);

}  // namespace anybit
