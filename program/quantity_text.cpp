#include "program/quantity_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace anybit {
namespace {

struct Unit {
  const char* name = "B";
  double size = 1;
};

/// The largest in which so many bytes are one at least.
Unit unit_of(double bytes) {
  Unit unit;
  for (const char* name : {"kB", "MB", "GB", "TB"})
    if (bytes >= 1000 * unit.size) unit = {name, 1000 * unit.size};
  return unit;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

std::string traffic_text(std::uint64_t down, std::uint64_t up) {
  const Unit unit = unit_of(static_cast<double>(std::max(down, up)));
  const auto number = [&](std::uint64_t bytes) {
    const double value = static_cast<double>(bytes) / unit.size;
    return fmt::format("{:.{}f}", value, unit.size > 1 && value < 9.95 ? 1 : 0);
  };
  return fmt::format("{}/{} {}", number(down), number(up), unit.name);
}

std::string bytes_text(double bytes) {
  const Unit unit = unit_of(bytes);
  return unit.size > 1 ? fmt::format("{:.1f} {}", bytes / unit.size, unit.name) : fmt::format("{} B", bytes);
}

}  // namespace anybit
