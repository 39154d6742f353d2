#pragma once

#include "server/strategies/strategy.h"

namespace anybit {

// Adaptive federated optimisation (Reddi et al., ICLR 2021, algorithm 2). With D the mean delta:
//   m = beta1 m + (1 - beta1) D,   w += rate m / (sqrt(v) + tau),
// where v follows D^2 as the row says. m and v start at zero, without a correction for it. tau bounds the step of a
// parameter that hardly changes. Of fedadagrad m is D, as in the paper's experiments.

/// v = v + D^2
StrategyTable::Row fedadagrad_strategy_row();
/// v = beta2 v + (1 - beta2) D^2
StrategyTable::Row fedadam_strategy_row();
/// v = v - (1 - beta2) D^2 sign(v - D^2)
StrategyTable::Row fedyogi_strategy_row();

}  // namespace anybit
