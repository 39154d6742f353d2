#pragma once

namespace anybit {

/// FLOP/s that this thread's core can do, single precision: fused multiply-adds on registers alone, in the instruction
/// set in use. The median of several short runs, about 10 ms in all, so that a neighbour's share of the core is in it
/// as it is in whatever is compared with it; a multiply-add counts as two operations.
double fma_peak();

}  // namespace anybit
