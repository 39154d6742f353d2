// 64 codes of b bits are b words of 64 bits. Each width has a loop of its own in which every shift is a constant.
#include "wire/codecs/bit_packing.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

namespace anybit {
namespace {

constexpr std::size_t kGroup = 64;
constexpr int kLowest = 2;
constexpr int kHighest = 16;

template <std::size_t kBits>
void pack_group(const std::uint16_t* codes, std::uint8_t* out) {
  std::array<std::uint64_t, kBits + 1> words{};
#pragma GCC unroll 64
  for (std::size_t i = 0; i < kGroup; ++i) {
    const std::size_t word = i * kBits / 64;
    const std::size_t shift = i * kBits % 64;
    const std::uint64_t code = codes[i];
    words[word] |= code << shift;
    if (shift + kBits > 64) words[word + 1] |= code >> (64 - shift);
  }
  std::memcpy(out, words.data(), kBits * sizeof(std::uint64_t));
}

template <std::size_t kBits>
void unpack_group(const std::uint8_t* from, std::uint16_t* codes) {
  std::array<std::uint64_t, kBits + 1> words{};
  std::memcpy(words.data(), from, kBits * sizeof(std::uint64_t));
  constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
#pragma GCC unroll 64
  for (std::size_t i = 0; i < kGroup; ++i) {
    const std::size_t word = i * kBits / 64;
    const std::size_t shift = i * kBits % 64;
    std::uint64_t code = words[word] >> shift;
    if (shift + kBits > 64) code |= words[word + 1] << (64 - shift);
    codes[i] = static_cast<std::uint16_t>(code & kMask);
  }
}

template <std::size_t kBits>
void pack_all(std::span<const std::uint16_t> codes, std::uint8_t* out) {
  constexpr std::size_t kGroupBytes = kBits * sizeof(std::uint64_t);
  std::size_t at = 0;
  for (; at + kGroup <= codes.size(); at += kGroup, out += kGroupBytes) pack_group<kBits>(codes.data() + at, out);
  if (at == codes.size()) return;
  std::array<std::uint16_t, kGroup> rest{};
  std::copy(codes.begin() + static_cast<std::ptrdiff_t>(at), codes.end(), rest.begin());
  std::array<std::uint8_t, kGroupBytes> packed{};
  pack_group<kBits>(rest.data(), packed.data());
  std::memcpy(out, packed.data(), packed_bytes(codes.size() - at, static_cast<int>(kBits)));
}

template <std::size_t kBits>
bool unpack_all(const std::uint8_t* from, std::span<std::uint16_t> codes) {
  constexpr std::size_t kGroupBytes = kBits * sizeof(std::uint64_t);
  std::size_t at = 0;
  for (; at + kGroup <= codes.size(); at += kGroup, from += kGroupBytes) unpack_group<kBits>(from, codes.data() + at);
  const std::size_t left = codes.size() - at;
  if (left == 0) return true;
  std::array<std::uint8_t, kGroupBytes> packed{};
  std::memcpy(packed.data(), from, packed_bytes(left, static_cast<int>(kBits)));
  std::array<std::uint16_t, kGroup> rest{};
  unpack_group<kBits>(packed.data(), rest.data());
  const auto behind = rest.begin() + static_cast<std::ptrdiff_t>(left);
  std::copy(rest.begin(), behind, codes.begin() + static_cast<std::ptrdiff_t>(at));
  return std::all_of(behind, rest.end(), [](std::uint16_t code) { return code == 0; });
}

using PackAll = void (*)(std::span<const std::uint16_t>, std::uint8_t*);
using UnpackAll = bool (*)(const std::uint8_t*, std::span<std::uint16_t>);

template <std::size_t... kIndex>
constexpr auto packers(std::index_sequence<kIndex...>) {
  return std::array<PackAll, sizeof...(kIndex)>{&pack_all<kIndex + kLowest>...};
}
template <std::size_t... kIndex>
constexpr auto unpackers(std::index_sequence<kIndex...>) {
  return std::array<UnpackAll, sizeof...(kIndex)>{&unpack_all<kIndex + kLowest>...};
}

constexpr auto kWidths = std::make_index_sequence<kHighest - kLowest + 1>();
constexpr auto kPackers = packers(kWidths);
constexpr auto kUnpackers = unpackers(kWidths);

}  // namespace

std::size_t packed_bytes(std::size_t count, int bits) {
  // Whole groups of eight codes first: count * bits could wrap for counts near the address space.
  const auto width = static_cast<std::size_t>(bits);
  return count / 8 * width + (count % 8 * width + 7) / 8;
}

void pack(std::span<const std::uint16_t> codes, int bits, std::uint8_t* out) {
  kPackers.at(static_cast<std::size_t>(bits - kLowest))(codes, out);
}

bool unpack(const std::uint8_t* from, int bits, std::span<std::uint16_t> codes) {
  return kUnpackers.at(static_cast<std::size_t>(bits - kLowest))(from, codes);
}

}  // namespace anybit
