#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anybit {

// The same numbers as tests/golden/hash_numbers.py: multiples of 2^-15, exact in float.

inline std::uint32_t hash_word(std::uint64_t stream, std::uint64_t i) {
  std::uint64_t z = (stream << 32U) + i + 0x9E3779B97F4A7C15ULL;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
  return static_cast<std::uint32_t>((z ^ (z >> 31U)) >> 48U);
}

/// Number i of a stream, in [-1, 1).
inline float hash_number(std::uint64_t stream, std::uint64_t i) {
  return static_cast<float>(static_cast<int>(hash_word(stream, i)) - 32768) / 32768.0F;
}

inline std::vector<float> hash_numbers(std::uint64_t stream, std::size_t count, float scale = 1.0F) {
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = scale * hash_number(stream, i);
  return values;
}

}  // namespace anybit
