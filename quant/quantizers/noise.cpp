#include "quant/quantizers/noise.h"

#include <algorithm>

namespace anybit {

void add_scaled_noise(const ChannelGrids& grids, int channel_stride, std::span<const float> before,
                      std::span<float> noise) {
  const auto channels = static_cast<std::size_t>(grids.channels());
  const float* x = before.data();
  float* out = noise.data();
  if (channels > 1 && channel_stride == 1) {
    const float* scale = grids.scale();
    for (std::size_t begin = 0; begin < before.size(); begin += channels)
#pragma GCC ivdep
      for (std::size_t c = 0; c < channels; ++c) out[begin + c] = x[begin + c] + scale[c] * out[begin + c];
    return;
  }
  const std::size_t run = channels == 1 ? before.size() : static_cast<std::size_t>(channel_stride);
  for (std::size_t begin = 0, c = 0; begin < before.size(); begin += run, c = c + 1 == channels ? 0 : c + 1) {
    const float step = grids.scale()[c];
    const std::size_t end = std::min(begin + run, before.size());
#pragma GCC ivdep
    for (std::size_t i = begin; i < end; ++i) out[i] = x[i] + step * out[i];
  }
}

}  // namespace anybit
