#pragma once

#include <cstdint>
#include <string>

namespace anybit {

// Quantities as people read them.

/// "1:02:03" or "2:03".
std::string duration_text(double seconds);
/// Down and up in one unit: "1.5/0.2 kB", "12/11 MB".
std::string traffic_text(std::uint64_t down, std::uint64_t up);
/// "12.3 MB".
std::string bytes_text(double bytes);

}  // namespace anybit
