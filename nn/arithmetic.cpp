#include "nn/arithmetic.h"

#include <cmath>

namespace anybit {
namespace {

constexpr double kLn2 = 0.693147180559945309417;
constexpr double kLn2High = 0x1.62e42fee00000p-1;  // 20 trailing zero bits: n * kLn2High is exact for |n| < 2^20
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kLog2E = 1.442695040888963407360;

/// e^r - 1 for |r| <= ln(2) / 2: Taylor of degree 13, truncation below 5e-18.
double small_expm1(double r) {
  double p = 1.0 / 6227020800.0;
  p = p * r + 1.0 / 479001600.0;
  p = p * r + 1.0 / 39916800.0;
  p = p * r + 1.0 / 3628800.0;
  p = p * r + 1.0 / 362880.0;
  p = p * r + 1.0 / 40320.0;
  p = p * r + 1.0 / 5040.0;
  p = p * r + 1.0 / 720.0;
  p = p * r + 1.0 / 120.0;
  p = p * r + 1.0 / 24.0;
  p = p * r + 1.0 / 6.0;
  p = p * r + 0.5;
  return p * r * r + r;
}

/// 2^n for whole n in [-1022, 1023].
double power_of_two(double n) {
  constexpr double kMagic = 0x1.8p52;  // leaves n in the low bits of the sum
  return std::bit_cast<double>((std::bit_cast<std::uint64_t>(n + kMagic) + 1023U) << 52U);
}

double clamped(double x, double low, double high) {
  const double lifted = x < low ? low : x;
  return lifted > high ? high : lifted;
}

/// value * 2^n where 2^n alone may not be a double but the product is.
double scaled_by(double value, double n) {
  const double half = std::nearbyint(0.5 * n);
  return value * power_of_two(half) * power_of_two(n - half);
}

struct Split {
  double mantissa_log;  // ln m, m in [sqrt(1/2), sqrt(2))
  double exponent;      // x = m * 2^exponent
};

/// ln m = 2 artanh((m - 1) / (m + 1)), a series in s^2 <= 0.0295 up to s^23.
Split split_log(double x) {
  const bool subnormal = x < std::numeric_limits<double>::min();
  const double y = subnormal ? x * 0x1p54 : x;
  const auto bits = std::bit_cast<std::uint64_t>(y);
  constexpr std::uint64_t kRootHalf = 0x3fe6a09e667f3bcdULL;  // bits of sqrt(1/2)
  const std::uint64_t offset = bits - kRootHalf;
  const auto exponent = static_cast<double>(static_cast<std::int64_t>(offset) >> 52);
  const double m = std::bit_cast<double>((offset & 0x000fffffffffffffULL) + kRootHalf);
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double p = 1.0 / 23.0;
  p = p * z + 1.0 / 21.0;
  p = p * z + 1.0 / 19.0;
  p = p * z + 1.0 / 17.0;
  p = p * z + 1.0 / 15.0;
  p = p * z + 1.0 / 13.0;
  p = p * z + 1.0 / 11.0;
  p = p * z + 1.0 / 9.0;
  p = p * z + 1.0 / 7.0;
  p = p * z + 1.0 / 5.0;
  p = p * z + 1.0 / 3.0;
  return {2.0 * s + 2.0 * s * z * p, exponent - (subnormal ? 54.0 : 0.0)};
}

/// sin and cos of 2 pi r for |r| <= 1/8 turn: Taylor to degree 17 and 16.
double small_sin(double r) {
  const double a = 6.283185307179586476925 * r;
  const double z = a * a;
  double p = 1.0 / 355687428096000.0;
  p = p * z - 1.0 / 1307674368000.0;
  p = p * z + 1.0 / 6227020800.0;
  p = p * z - 1.0 / 39916800.0;
  p = p * z + 1.0 / 362880.0;
  p = p * z - 1.0 / 5040.0;
  p = p * z + 1.0 / 120.0;
  p = p * z - 1.0 / 6.0;
  return a + a * z * p;
}

double small_cos(double r) {
  const double a = 6.283185307179586476925 * r;
  const double z = a * a;
  double p = 1.0 / 20922789888000.0;
  p = p * z - 1.0 / 87178291200.0;
  p = p * z + 1.0 / 479001600.0;
  p = p * z - 1.0 / 3628800.0;
  p = p * z + 1.0 / 40320.0;
  p = p * z - 1.0 / 720.0;
  p = p * z + 1.0 / 24.0;
  p = p * z - 0.5;
  return 1.0 + z * p;
}

/// sin(2 pi (t + shift / 4)); t is brought into one turn first, which is exact.
double sine_of_turns(double turns, double shift) {
  const double t = turns - std::nearbyint(turns);
  const double quarter = std::nearbyint(4.0 * t);
  const double r = t - 0.25 * quarter;
  const double which = quarter + shift + 4.0;  // 2 to 7
  const double in_turn = which - 4.0 * std::floor(0.25 * which);
  const double odd = in_turn - 2.0 * std::floor(0.5 * in_turn);
  const double magnitude = odd > 0.5 ? small_cos(r) : small_sin(r);
  return in_turn > 1.5 ? -magnitude : magnitude;
}

}  // namespace

double fixed_exp(double x) {
  const double y = clamped(x, -708.0, 709.0);
  const double n = std::nearbyint(y * kLog2E);
  const double r = (y - n * kLn2High) - n * kLn2Low;
  const double value = scaled_by(1.0 + small_expm1(r), n);
  const double floored = x < -708.0 ? 0.0 : value;
  return x > 709.0 ? std::numeric_limits<double>::max() : floored;
}

double fixed_exp2(double x) {
  const double y = clamped(x, -1022.0, 1023.9999999999998);  // the largest double below 1024
  const double n = std::nearbyint(y);
  const double value = scaled_by(1.0 + small_expm1((y - n) * kLn2), n);
  const double floored = x < -1022.0 ? 0.0 : value;
  return x >= 1024.0 ? std::numeric_limits<double>::max() : floored;
}

double fixed_log(double x) {
  const Split split = split_log(x);
  const double value = split.exponent * kLn2High + (split.mantissa_log + split.exponent * kLn2Low);
  return x < std::numeric_limits<double>::infinity() ? value : x;
}

double fixed_log2(double x) {
  const Split split = split_log(x);
  const double value = split.exponent + split.mantissa_log * kLog2E;
  return x < std::numeric_limits<double>::infinity() ? value : x;
}

double fixed_sin2pi(double turns) { return sine_of_turns(turns, 0.0); }

double fixed_cos2pi(double turns) { return sine_of_turns(turns, 1.0); }

double fixed_tanh(double x) {
  // (e^2a - 1) / (e^2a + 1) with e^2a - 1 formed without cancellation; beyond 20 the quotient is 1 in double.
  const double a = clamped(std::fabs(x), 0.0, 20.0);
  const double n = std::nearbyint(2.0 * a * kLog2E);
  const double r = (2.0 * a - n * kLn2High) - n * kLn2Low;
  const double power = power_of_two(n);
  const double minus_one = power * small_expm1(r) + (power - 1.0);
  return std::copysign(minus_one / (minus_one + 2.0), x);
}

}  // namespace anybit
