#include "nn/fma_peak.h"

#include <algorithm>
#include <chrono>

#include "nn/kernels/kernels.h"

namespace anybit {

double fma_peak() {
  constexpr int kTurns = 200'000;
  constexpr int kRuns = 9;
  using Clock = std::chrono::steady_clock;
  const Kernels& set = kernels();
  double shortest = 1e9;
  for (int run = 0; run < kRuns; ++run) {
    const auto begin = Clock::now();
    set.fma_chains(kTurns);
    shortest = std::min(shortest, std::chrono::duration<double>(Clock::now() - begin).count());
  }
  return 2.0 * kTurns * Kernels::kChains * set.lanes / shortest;
}

}  // namespace anybit
