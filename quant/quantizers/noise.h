#pragma once

#include <span>

#include "quant/grids/uniform.h"

namespace anybit {

/// noise[i] = before[i] + step * noise[i], the step being that of i's channel (specs A 3.1).
void add_scaled_noise(const ChannelGrids& grids, int channel_stride, std::span<const float> before,
                      std::span<float> noise);

}  // namespace anybit
