#pragma once

#include "server/strategies/strategy.h"

namespace anybit {

/// m = beta m + mean delta,  w += rate m  (FedAvgM: Hsu et al., Measuring the Effects of Non-Identical Data
/// Distribution, 2019). m starts at zero.
StrategyTable::Row fedavgm_strategy_row();

}  // namespace anybit
