#include "scenarios/byte_count.h"

#include <array>
#include <charconv>
#include <cmath>

namespace anybit {
namespace {

struct Unit {
  std::string_view name;
  double bytes;
};
constexpr std::array<Unit, 7> kUnits = {
    {{"", 1}, {"B", 1}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"MiB", 0x1p20}, {"GiB", 0x1p30}}};

}  // namespace

std::optional<double> parse_byte_count(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || std::signbit(number) || !(number >= 0)) return std::nullopt;
  const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& unit : kUnits)
    if (rest == unit.name && number <= kMostByteCount / unit.bytes) return number * unit.bytes;
  return std::nullopt;
}

}  // namespace anybit
