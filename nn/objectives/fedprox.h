#pragma once

#include "nn/objectives/objective.h"

namespace anybit {

/// mu / 2 * ||w_local - w_global||^2 over the learnt tensors (Li et al. 2020, eq. 2; specs D).
ObjectiveTable::Row fedprox_row();

}  // namespace anybit
