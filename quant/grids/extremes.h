#pragma once

#include <span>

namespace anybit {

/// Largest |x|; 0 for no values. Order does not matter to a maximum, so any vector width gives the same bits.
float largest_magnitude(std::span<const float> values);

/// Largest |x| of each channel: element i belongs to channel (i / channel_stride) % channels, channels = result.size().
void channel_magnitudes(std::span<const float> values, int channel_stride, std::span<float> result);

/// Smallest and largest value together with 0: {0, 0} for no values. Values are finite.
struct Extremes {
  float low = 0;
  float high = 0;
};
Extremes extremes_with_zero(std::span<const float> values);

}  // namespace anybit
