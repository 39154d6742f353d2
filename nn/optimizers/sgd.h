#pragma once

#include "nn/optimizers/optimizer.h"

namespace anybit {

/// Stochastic gradient descent as torch.optim.SGD has it: with g the clipped gradient plus decay * w,
///   b = momentum * b + g,  w -= rate * b,  or with Nesterov's variant  w -= rate * (g + momentum * b).
OptimizerTable::Row sgd_row();

}  // namespace anybit
