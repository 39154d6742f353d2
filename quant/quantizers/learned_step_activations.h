#pragma once

#include <memory>
#include <string>

#include "quant/quantizers/slot_quantizer.h"

namespace anybit {

/// Activations on a grid whose step is learned (LSQ: Esser et al., ICLR 2020; specs A 4.1, B P1), per tensor:
///   y = s (clip(round(x / s) + z, 0, 2^b - 1) - z)
/// z is 0 where activations are never negative, else 2^(b-1); with `offset` (LSQ+: Bhalgat et al., CVPR Workshops 2020;
/// specs A 4.2) z = round(-beta / s) of a learned beta instead. Theirs shifts the grid by beta itself, which leaves
/// zero between two levels; an integer zero point keeps padding and ReLU exact.
///
/// Gradients, with n the values of one example, Qp = 2^b - 1, or 2^(b-1) - 1 about zero, and d of B, P1: of s as in
/// learned_step.h with the divisor sqrt(n Qp); of beta the sum of dL/dy over what is clipped / sqrt(n Qp), where that
/// moves the grid. With an offset what is clipped below is beta, and d = 0 there, and above beta + s Qp.
///
/// The first step is s = 2 E|x| / sqrt(Qp), the paper's, but of standard normal numbers, or of the ReLU of such, where
/// the paper takes a first batch: a client of a federation would need one before all others. The first beta leaves the
/// zero point where it is without an offset. What reads the image gets no gradient: it has a moving range
/// (moving_range.h) instead.
///
/// Tensors of role quantizer, without decay: "<layer>.input.step<width>", log2 s, merged as log-mean;
/// "<layer>.input.offset<width>", beta, merged as mean.
struct LearnedStepActivations {
  bool offset = false;
};
std::shared_ptr<const SlotQuantizerKind> learned_step_activations(LearnedStepActivations settings);

std::string activation_step_name(const SlotSite& site, int width);
std::string activation_offset_name(const SlotSite& site, int width);

}  // namespace anybit
