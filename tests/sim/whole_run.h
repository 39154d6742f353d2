#pragma once

#include <utility>

#include "sim/federation_run.h"
#include "tests/server/tiny_scenario.h"

namespace anybit {

/// Runs all rounds in this process and returns what came out.
inline FederationState run_all(const Federation& federation, int threads = 1, FederationRun::EventSink sink = {}) {
  FederationRun run(federation, federation.first_state(), threads, std::move(sink));
  while (run.next_round()) {}
  return run.state();
}

}  // namespace anybit
