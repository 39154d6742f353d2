#include "nn/arithmetic.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

namespace anybit {
namespace {

using Function = std::function<double(double)>;

double worst_relative(double low, double high, int points, const Function& ours, const Function& exact) {
  double worst = 0;
  for (int i = 0; i <= points; ++i) {
    const double x = low + (high - low) * i / points;
    const double expected = exact(x);
    if (expected != 0) worst = std::max(worst, std::fabs(ours(x) / expected - 1));
  }
  return worst;
}

double worst_absolute(double low, double high, int points, const Function& ours, const Function& exact) {
  double worst = 0;
  for (int i = 0; i <= points; ++i) {
    const double x = low + (high - low) * i / points;
    worst = std::max(worst, std::fabs(ours(x) - exact(x)));
  }
  return worst;
}

TEST(Arithmetic, FloatExponentialIsWithinItsBound) {
  const Function ours = [](double x) { return fixed_exp(static_cast<float>(x)); };
  const Function exact = [](double x) { return std::exp(static_cast<double>(static_cast<float>(x))); };
  EXPECT_LT(worst_relative(-87, 88, 400000, ours, exact), 2e-7);
}

TEST(Arithmetic, FloatExponentialSaturates) {
  EXPECT_EQ(fixed_exp(0.0F), 1.0F);
  EXPECT_EQ(fixed_exp(-87.5F), 0.0F);
  EXPECT_EQ(fixed_exp(-std::numeric_limits<float>::infinity()), 0.0F);
  EXPECT_EQ(fixed_exp(88.5F), std::numeric_limits<float>::max());
  EXPECT_EQ(fixed_exp(std::numeric_limits<float>::infinity()), std::numeric_limits<float>::max());
  EXPECT_TRUE(std::isnan(fixed_exp(std::numeric_limits<float>::quiet_NaN())));
}

TEST(Arithmetic, DoublesAreWithinTheirBounds) {
  const auto wrap = [](double (*f)(double)) { return Function(f); };
  EXPECT_LT(worst_relative(-708, 709, 200000, wrap(fixed_exp), wrap(std::exp)), 1e-14);
  EXPECT_LT(worst_relative(-1022, 1023.9, 200000, wrap(fixed_exp2), wrap(std::exp2)), 1e-14);
  EXPECT_LT(worst_relative(1e-3, 0.9, 100000, wrap(fixed_log), wrap(std::log)), 1e-14);
  EXPECT_LT(worst_absolute(0.9, 1.1, 100000, wrap(fixed_log), wrap(std::log)), 1e-14);
  EXPECT_LT(worst_relative(1.1, 1e6, 100000, wrap(fixed_log), wrap(std::log)), 1e-14);
  EXPECT_LT(worst_absolute(0.9, 1.1, 100000, wrap(fixed_log2), wrap(std::log2)), 1e-14);
  EXPECT_LT(worst_relative(1.1, 1e6, 100000, wrap(fixed_log2), wrap(std::log2)), 1e-14);
  EXPECT_LT(worst_relative(-25, 25, 200000, wrap(fixed_tanh), wrap(std::tanh)), 1e-14);
}

TEST(Arithmetic, SineAndCosineOfTurns) {
  const double pi = std::acos(-1.0);
  const Function sine = [pi](double t) { return std::sin(2 * pi * (t - std::floor(t))); };
  const Function cosine = [pi](double t) { return std::cos(2 * pi * (t - std::floor(t))); };
  EXPECT_LT(worst_absolute(-3, 3, 100000, fixed_sin2pi, sine), 1e-14);
  EXPECT_LT(worst_absolute(-3, 3, 100000, fixed_cos2pi, cosine), 1e-14);
  EXPECT_EQ(fixed_sin2pi(0.25), 1.0);
  EXPECT_EQ(fixed_sin2pi(0.75), -1.0);
  EXPECT_EQ(fixed_cos2pi(0.5), -1.0);
  EXPECT_EQ(fixed_sin2pi(1e15), 0.0);
}

TEST(Arithmetic, PowersOfTwoAreExact) {
  for (int n = -1022; n <= 1023; ++n) {
    ASSERT_EQ(fixed_exp2(n), std::ldexp(1.0, n)) << n;
    ASSERT_EQ(fixed_log2(std::ldexp(1.0, n)), n) << n;
  }
  EXPECT_EQ(fixed_log2(std::ldexp(1.0, -1074)), -1074.0);
  EXPECT_EQ(fixed_exp2(-1023.0), 0.0);
  EXPECT_EQ(fixed_exp2(1024.0), std::numeric_limits<double>::max());
}

TEST(Arithmetic, EdgesOfTheDoubles) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(fixed_exp(-709.0), 0.0);
  EXPECT_EQ(fixed_exp(710.0), std::numeric_limits<double>::max());
  EXPECT_EQ(fixed_log(1.0), 0.0);
  EXPECT_EQ(fixed_tanh(0.0), 0.0);
  EXPECT_EQ(fixed_tanh(-1e-300), -1e-300);
  EXPECT_EQ(fixed_tanh(1e300), 1.0);
  for (double (*f)(double) :
       {static_cast<double (*)(double)>(fixed_exp), fixed_log, fixed_log2, fixed_exp2, fixed_tanh, fixed_sin2pi})
    EXPECT_TRUE(std::isnan(f(nan)));
}

}  // namespace
}  // namespace anybit
