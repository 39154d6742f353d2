#pragma once

#include "server/strategies/strategy.h"

namespace anybit {

/// w + rate * mean delta (McMahan et al. 2017; the server rate as in Reddi et al. 2021, specs D).
StrategyTable::Row fedavg_strategy_row();

}  // namespace anybit
