#pragma once

namespace anybit {

/// Logarithmic levels: zero and +-floor * base^k for k = 0 ... magnitudes-1. The one equation of the grid:
///   k     = min(round_half_even(log(|x| / floor) / log(base)), magnitudes - 1)
///   code  = 0 where k < 0, else sign(x) * (k + 1)
///   value = 0 for code 0, else sign(code) * floor * base^(|code| - 1)
/// Logarithm and power are the house's own (nn/arithmetic.h): same codes everywhere. base > 1, floor > 0. An infinite x
/// gets the outermost code, NaN code 0.
struct LogGrid {
  float base = 2.0F;
  float floor = 1.0F;
  int magnitudes = 1;

  int encode(float x) const;
  float decode(int code) const;

  bool has_zero() const { return true; }
  bool uniform() const { return magnitudes == 1; }
  bool nested() const { return false; }
};

}  // namespace anybit
