#pragma once

#include <cstdint>
#include <span>

namespace anybit {

/// The table-driven reference of crc32c() (message.h): what machines without the instruction use, and what the tests
/// hold the fast one against.
std::uint32_t crc32c_portable(std::span<const std::uint8_t> bytes, std::uint32_t seed = 0);

}  // namespace anybit
