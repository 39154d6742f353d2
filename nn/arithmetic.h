#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace anybit {

// Our own elementary functions: the same bits with every libm and on every machine (DESIGN D6). Straight-line
// polynomial code without branches on data. Errors are tested against libm. The rounding mode is the default one.

/// e^x, relative error below 2e-7; saturates to 0 below -87 and to the largest float above 88. NaN stays NaN.
/// Inline, so that loops over it vectorise.
inline float fixed_exp(float x) {
  constexpr float kLow = -87.0F;
  constexpr float kHigh = 88.0F;
  const float lifted = x < kLow ? kLow : x;
  const float y = lifted > kHigh ? kHigh : lifted;
  // Adding 1.5 * 2^23 rounds to a whole number and leaves it in the low bits of the sum.
  constexpr float kMagic = 12582912.0F;
  const float sum = y * 1.44269504F + kMagic;
  const float n = sum - kMagic;
  // ln 2 in two parts, the first with few bits, so that n times it is exact (Cody and Waite 1980).
  const float r = (y - n * 0.693359375F) + n * 2.12194440e-4F;
  float p = 1.98412698e-4F;  // Taylor, degree 7: below one unit in the last place on |r| <= ln(2) / 2
  p = p * r + 1.38888889e-3F;
  p = p * r + 8.33333333e-3F;
  p = p * r + 4.16666667e-2F;
  p = p * r + 1.66666667e-1F;
  p = p * r + 0.5F;
  const float value = (p * r * r + r) + 1.0F;
  const std::uint32_t exponent = (std::bit_cast<std::uint32_t>(sum) + 127U) << 23U;  // the magic's bits shift out
  const float scaled = value * std::bit_cast<float>(exponent);
  const float floored = x < kLow ? 0.0F : scaled;
  return x > kHigh ? std::numeric_limits<float>::max() : floored;
}

/// Double versions, relative error below 1e-14 (absolute near log 1 = 0). NaN stays NaN.
double fixed_exp(double x);         // saturates to 0 below -708 and to the largest double above 709
double fixed_log(double x);         // x > 0
double fixed_log2(double x);        // x > 0, exact for powers of two
double fixed_exp2(double x);        // exact for whole x in [-1022, 1023]; 0 below, the largest double from 1024
double fixed_sin2pi(double turns);  // sin(2 pi t)
double fixed_cos2pi(double turns);
double fixed_tanh(double x);

}  // namespace anybit
