#pragma once

#include "nn/optimizers/optimizer.h"

namespace anybit {

/// Adam as torch.optim.Adam has it: with g the clipped gradient plus decay * w and t = 1, 2, ... in the client's round,
///   m = beta1 m + (1 - beta1) g,  v = beta2 v + (1 - beta2) g^2,
///   w -= rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon).
OptimizerTable::Row adam_row();

}  // namespace anybit
