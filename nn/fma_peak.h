#pragma once

namespace anybit {

/// FLOP/s of this thread's core at best, single precision: fused multiply-adds on registers alone, in the instruction
/// set in use. The best of several short runs, about 10 ms in all; a multiply-add counts as two operations.
double fma_peak();

}  // namespace anybit
