#pragma once

#include "nn/kernels/bodies/vector.h"

namespace anybit {
namespace {

/// Keeps equal chains from being merged.
inline void hide(Lanes& value) {
#if defined(__x86_64__)
  asm volatile("" : "+v"(value));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(value));
#else
  asm volatile("" : "+m"(value));
#endif
}

void fma_chains(int turns) {
  Lanes chain[Kernels::kChains] = {};
  const Lanes factor = Lanes{} + 0.5F;
  for (int turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
    for (int k = 0; k < Kernels::kChains; ++k) {
      chain[k] = chain[k] * factor + factor;
      hide(chain[k]);
    }
  }
}

}  // namespace
}  // namespace anybit
