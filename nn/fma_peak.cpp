#include "nn/fma_peak.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "nn/kernels/kernels.h"

namespace anybit {

double fma_peak() {
  constexpr int kTurns = 200'000;
  constexpr int kRuns = 9;
  using Clock = std::chrono::steady_clock;
  const Kernels& set = kernels();
  std::array<double, kRuns> seconds;
  for (double& run : seconds) {
    const auto begin = Clock::now();
    set.fma_chains(kTurns);
    run = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  std::ranges::nth_element(seconds, seconds.begin() + kRuns / 2);
  return 2.0 * kTurns * Kernels::kChains * static_cast<double>(set.lanes) / seconds[kRuns / 2];
}

}  // namespace anybit
