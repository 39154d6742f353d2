#pragma once

#include "nn/kernels/bodies/vector.h"

namespace anybit {
namespace {

void fma_chains(int turns) {
  Lanes chain[Kernels::kChains] = {};
  const Lanes factor = Lanes{} + 0.5F;
  for (int turn = 0; turn < turns; ++turn) {
#pragma GCC unroll 12
    for (int k = 0; k < Kernels::kChains; ++k) {
      chain[k] = chain[k] * factor + factor;
      hide(chain[k]);  // else equal chains are merged
    }
  }
}

}  // namespace
}  // namespace anybit
