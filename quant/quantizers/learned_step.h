#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "nn/network.h"
#include "nn/parameters.h"
#include "quant/grids/uniform.h"

namespace anybit {

// LSQ: learned steps (Esser et al., ICLR 2020; specs A 4.1, B P1). A step is stored as log2 s, so it stays positive and
// merging over clients is a geometric mean. What is trained moves as in the paper all the same: the gradient of log2 s
// is the one that makes SGD's step of s the paper's to first order.

/// "<weight>.step<width>", e.g. "conv1.weight.step4".
std::string step_tensor_name(const std::string& weight, int width);

/// What a quantizer throws that is to run at a width for which its slot, "conv1.weight" say, has no step.
std::invalid_argument no_learned_step(const std::string& slot, int width);

/// One value (per tensor) or one per output channel; merged as log-mean, without decay.
TensorSpec step_tensor(const TensorSpec& weight, int width, bool per_channel);

/// s from log2 s; limited to 2^-60 ... 2^60 so that a step and its inverse stay finite. NaN gives the smallest.
float step_from_log2(float log2_step);

/// LSQ's first step, 2 mean|v| / sqrt(Qp).
double first_learned_step(double mean_magnitude, int largest_code);

/// log2 of the first step of each group: s = 2 mean|v| / sqrt(Qp). 0 for a group that is all zero.
void initial_log2_steps(std::span<const float> weights, int channel_stride, int width, std::span<float> log2_steps);

/// Backward of y = s clip(round(v / s)): masks `gradient` as mask_clipped() does and adds to each group's gradient of
/// log2 s
///   (sum gradient_i d_i / divisor) / (s ln 2), of s below 2^-14 as if it were that,
/// where d = round(v/s) - v/s inside and the clipping code outside, codes being counted from the zero point. `rounded`
/// is y, so d sees the very rounding of the forward pass. `further` is added to each sum. Sums are doubles in a fixed
/// order.
///
/// That is the paper's gradient of s, and divided by ds/dlog2 s where the chain rule multiplies: with the product, SGD
/// moves a step by (s ln 2)^2 of what the paper's moves it, which is next to nothing for the steps of weights.
void learned_step_backward(const ChannelGrids& grids, int channel_stride, double divisor, std::span<const float> before,
                           std::span<const float> rounded, std::span<float> gradient, std::span<float> log2_gradient,
                           double further = 0);

/// LSQ's divisor, sqrt(n Qp): n values of a group (of a weight, or of one example's activation), Qp the largest code.
double lsq_divisor(std::size_t values, int largest_code);

}  // namespace anybit
