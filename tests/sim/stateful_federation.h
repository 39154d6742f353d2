#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/quant/counter_and_residual.h"
#include "tests/server/tiny_scenario.h"

namespace anybit {

/// Twenty clients that keep 12,731 floats each, in five rounds of six, so that cohorts overlap and states matter.
inline Federation stateful(std::vector<std::string> more = {}) {
  const std::vector<std::string> round = {"training.method.name=fedavg", "federation.cohort=6", "federation.rounds=5"};
  more.insert(more.begin(), round.begin(), round.end());
  Federation federation = tiny_federation(more);
  federation.training.method.client_state = std::make_shared<const CounterAndResidual>();
  return federation;
}

}  // namespace anybit
