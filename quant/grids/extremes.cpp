#include "quant/grids/extremes.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace anybit {
namespace {

// Without its sign bit a float orders like the integer of the same bits; integer maxima may be re-ordered, float ones
// may not (NaN), so this is the form that the compiler vectorises.
inline std::int32_t magnitude_bits(float x) { return std::bit_cast<std::int32_t>(x) & 0x7fffffff; }

}  // namespace

float largest_magnitude(std::span<const float> values) {
  const float* x = values.data();
  std::int32_t largest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) largest = std::max(largest, magnitude_bits(x[i]));
  return std::bit_cast<float>(largest);
}

void channel_magnitudes(std::span<const float> values, int channel_stride, std::span<float> result) {
  const auto stride = static_cast<std::size_t>(channel_stride);
  const std::size_t channels = result.size();
  std::fill(result.begin(), result.end(), 0.0F);
  float* out = result.data();
  if (stride > 1 || channels == 1) {
    const std::size_t run = channels == 1 ? values.size() : stride;
    for (std::size_t i = 0, c = 0; i < values.size(); i += run, c = c + 1 == channels ? 0 : c + 1)
      out[c] = std::max(out[c], largest_magnitude(values.subspan(i, std::min(run, values.size() - i))));
    return;
  }
  for (std::size_t i = 0; i < values.size(); i += channels) {
    const float* x = values.data() + i;
    const std::size_t n = std::min(channels, values.size() - i);
#pragma GCC ivdep
    for (std::size_t c = 0; c < n; ++c) {
      const float magnitude = std::bit_cast<float>(magnitude_bits(x[c]));
      out[c] = out[c] < magnitude ? magnitude : out[c];
    }
  }
}

Extremes extremes_with_zero(std::span<const float> values) {
  const float* x = values.data();
  // A positive float is its own ordered integer; a negative one is ordered by its magnitude, negated by the sign bit.
  std::int32_t highest = 0;
  std::int32_t deepest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto bits = std::bit_cast<std::int32_t>(x[i]);
    highest = std::max(highest, bits);
    deepest = std::max(deepest, bits < 0 ? bits & 0x7fffffff : 0);
  }
  return {deepest == 0 ? 0.0F : -std::bit_cast<float>(deepest), std::bit_cast<float>(highest)};
}

}  // namespace anybit
