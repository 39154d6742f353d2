#pragma once

#include <optional>
#include <string_view>

namespace anybit {

/// Messages have room for so many.
inline constexpr double kMostByteCount = 0x1p63;

/// How many bytes "512MB" is: a number from 0 on, at most 2^63 bytes, with one of the units B, kB, MB, GB (of a
/// thousand), MiB, GiB, or none for bytes. Nothing where the text is not that.
std::optional<double> parse_byte_count(std::string_view text);

}  // namespace anybit
