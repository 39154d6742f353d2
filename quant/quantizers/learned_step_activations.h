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
/// What is learned is told from the first batch that a client sees, s = s0 2^l and beta = beta0 + o:
///   s0 = 2 mean|x| / sqrt(Qp), Qp = 2^b - 1, or 2^(b-1) - 1 about zero; with `offset`, s0 and beta0 cover its range.
/// The first batch is a statistic, merged over clients as such, so that l and o begin at zero for everybody and every
/// server optimiser can move them. Gradients, n the values of one example: of l as in learned_step.h with the divisor
/// sqrt(n Qp); of o the sum of dL/dy over what is clipped / sqrt(n Qp). Until a batch with other values than zero came,
/// activations pass through. What reads the image gets no gradient: it has a moving range (moving_range.h) instead.
///
/// Tensors: "<layer>.input.magnitude" (mean|x|), or with `offset` "<layer>.input.range", statistics merged as mean;
/// "<layer>.input.step<width>" (l), merged as log-mean, and "<layer>.input.offset<width>" (o), merged as mean, of role
/// quantizer, without decay.
struct LearnedStepActivations {
  bool offset = false;
};
std::shared_ptr<const SlotQuantizerKind> learned_step_activations(LearnedStepActivations settings);

std::string magnitude_tensor_name(const SlotSite& site);
std::string activation_step_name(const SlotSite& site, int width);
std::string activation_offset_name(const SlotSite& site, int width);

}  // namespace anybit
