#pragma once

#include <span>
#include <string>

#include "nn/network.h"
#include "nn/parameters.h"
#include "quant/grids/uniform.h"

namespace anybit {

// LSQ: learned steps (Esser et al., ICLR 2020; specs A 4.1, B P1). A step is stored as log2 s, so it stays positive and
// merging over clients is a geometric mean.

/// "<weight>.step<width>", e.g. "conv1.weight.step4".
std::string step_tensor_name(const std::string& weight, int width);

/// One value (per tensor) or one per output channel; merged as log-mean, without decay.
TensorSpec step_tensor(const TensorSpec& weight, int width, bool per_channel);

/// s from log2 s; limited to 2^-60 ... 2^60 so that a step and its inverse stay finite. NaN gives the smallest.
float step_from_log2(float log2_step);

/// log2 of the first step of each group: s = 2 mean|v| / sqrt(Qp). 0 for a group that is all zero.
void initial_log2_steps(std::span<const float> weights, int channel_stride, int width, std::span<float> log2_steps);

/// Backward of y = s clip(round(v / s)): masks `gradient` as mask_clipped() does and adds to each group's
/// dL/dlog2 s = s ln 2 / sqrt(n Qp) * sum gradient_i d_i, where d = round(v/s) - v/s inside, the clipping code outside,
/// and n counts the group's values. `rounded` is y, so d sees the very rounding of the forward pass. Sums are doubles
/// in a fixed order.
void learned_step_backward(const ChannelGrids& grids, int channel_stride, std::span<const float> before,
                           std::span<const float> rounded, std::span<float> gradient, std::span<float> log2_gradient);

}  // namespace anybit
