// CRC32C, reflected polynomial 0x82f63b78 (Castagnoli, Braeuer, Herrmann 1993). Start at crc32c() below. A checksum is
// a polynomial over GF(2), modulo that one; the highest bit is the coefficient of x^0.
#include "wire/crc32c.h"

#include <array>
#include <cstddef>
#include <cstring>

#include "wire/message.h"

#if defined(__SSE4_2__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

namespace anybit {
namespace {

constexpr std::uint32_t times_x(std::uint32_t value) { return (value >> 1) ^ ((value & 1U) != 0 ? 0x82f63b78U : 0U); }

constexpr std::array<std::uint32_t, 256> byte_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = times_x(value);
    table[i] = value;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kByteTable = byte_table();

constexpr std::uint32_t multiply(std::uint32_t a, std::uint32_t b) {
  std::uint32_t product = 0;
  for (; a != 0; a <<= 1) {
    if ((a & 0x80000000U) != 0) product ^= b;
    b = times_x(b);
  }
  return product;
}

/// x^(8 * 2^k) for each k: what 2^k zero bytes behind a message do to its checksum.
constexpr std::array<std::uint32_t, 64> zero_bytes_table() {
  std::array<std::uint32_t, 64> table{};
  table[0] = 0x80000000U >> 8;
  for (std::size_t k = 1; k < table.size(); ++k) table[k] = multiply(table[k - 1], table[k - 1]);
  return table;
}

constexpr std::array<std::uint32_t, 64> kZeroBytes = zero_bytes_table();

#if defined(__SSE4_2__) || defined(__aarch64__)

std::uint64_t word_at(const std::uint8_t* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
  return word;
}

#endif

#if defined(__SSE4_2__)

// The instruction answers after three cycles but starts every cycle, so three lanes run side by side and are joined.
constexpr std::size_t kLane = 2048;

using ShiftTable = std::array<std::array<std::uint32_t, 256>, 4>;

// What kLane zero bytes do to a register is linear over its bits: one table per byte of the register.
constexpr ShiftTable lane_shift_table() {
  std::array<std::uint32_t, 32> image{};
  for (std::size_t bit = 0; bit < 32; ++bit) {
    std::uint32_t value = 1U << bit;
    for (std::size_t i = 0; i < kLane; ++i) value = (value >> 8) ^ kByteTable[value & 0xffU];
    image[bit] = value;
  }
  ShiftTable table{};
  for (std::size_t byte = 0; byte < 4; ++byte)
    for (std::size_t value = 0; value < 256; ++value)
      for (std::size_t bit = 0; bit < 8; ++bit)
        if ((value >> bit & 1U) != 0) table[byte][value] ^= image[8 * byte + bit];
  return table;
}

constexpr ShiftTable kLaneShift = lane_shift_table();

std::uint64_t shift_lane(std::uint64_t value) {
  return kLaneShift[0][value & 0xffU] ^ kLaneShift[1][value >> 8 & 0xffU] ^ kLaneShift[2][value >> 16 & 0xffU] ^
         kLaneShift[3][value >> 24 & 0xffU];
}

std::uint32_t crc32c_hardware(std::span<const std::uint8_t> bytes, std::uint32_t seed) {
  std::uint64_t value = ~seed & 0xffffffffU;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 3 * kLane; left -= 3 * kLane, at += 3 * kLane) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < kLane; i += 8) {
      value = _mm_crc32_u64(value, word_at(at + i));
      second = _mm_crc32_u64(second, word_at(at + kLane + i));
      third = _mm_crc32_u64(third, word_at(at + 2 * kLane + i));
    }
    value = shift_lane(shift_lane(value) ^ second) ^ third;
  }
  for (; left >= 8; left -= 8, at += 8) value = _mm_crc32_u64(value, word_at(at));
  auto last = static_cast<std::uint32_t>(value);
  for (; left > 0; --left, ++at) last = _mm_crc32_u8(last, *at);
  return ~last;
}

#elif defined(__aarch64__)

/// Every Raspberry Pi since the third has the instruction, and not every processor that Debian runs on.
bool has_crc32() { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }

__attribute__((target("+crc"))) std::uint32_t crc32c_hardware(std::span<const std::uint8_t> bytes, std::uint32_t seed) {
  std::uint32_t value = ~seed;
  const std::uint8_t* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 8; left -= 8, at += 8) value = __crc32cd(value, word_at(at));
  for (; left > 0; --left, ++at) value = __crc32cb(value, *at);
  return ~value;
}

#endif

}  // namespace

std::uint32_t crc32c_portable(std::span<const std::uint8_t> bytes, std::uint32_t seed) {
  std::uint32_t value = ~seed;
  for (const std::uint8_t byte : bytes) value = (value >> 8) ^ kByteTable[(value ^ byte) & 0xffU];
  return ~value;
}

// The inversions before and after the division cancel out between the two parts.
std::uint32_t crc32c_combine(std::uint32_t crc_a, std::uint32_t crc_b, std::uint64_t bytes_b) {
  for (std::size_t k = 0; bytes_b != 0; ++k, bytes_b >>= 1)
    if ((bytes_b & 1U) != 0) crc_a = multiply(crc_a, kZeroBytes[k]);
  return crc_a ^ crc_b;
}

std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t seed) {
#if defined(__SSE4_2__)
  return crc32c_hardware(bytes, seed);
#elif defined(__aarch64__)
  static const bool fast = has_crc32();
  return fast ? crc32c_hardware(bytes, seed) : crc32c_portable(bytes, seed);
#else
  return crc32c_portable(bytes, seed);
#endif
}

}  // namespace anybit
