// One weight on F(w) = a/2 (w - c)^2, trained through the grids as the methods do it: numbers of specs A 0.3 and 1.8.
#include <gtest/gtest.h>

#include <cmath>

#include "nn/random.h"
#include "quant/grids/uniform.h"
#include "quant/quantizers/noise.h"

namespace anybit {
namespace {

double rounded(double w, double step) {
  const UniformGrid grid = symmetric_grid(static_cast<float>(step), 8);
  return static_cast<double>(decode(grid, encode(grid, Rounding::kHalfEven, static_cast<float>(w))));
}

struct Plateau {
  double weight = 0;       // at the end
  double average = 0;      // of Q(w) over the second half
  double upper_share = 0;  // of the time at the grid value above c
  double squared_gradient = 0;
};

Plateau descend_straight_through(double c, double step, double rate) {
  constexpr int kSteps = 40000;
  Plateau plateau;
  plateau.weight = 0.9;
  for (int t = 0; t < kSteps; ++t) {
    const double q = rounded(plateau.weight, step);
    const double gradient = q - c;
    plateau.weight -= rate * gradient;
    if (t < kSteps / 2) continue;
    plateau.average += q / (kSteps / 2);
    plateau.squared_gradient += gradient * gradient / (kSteps / 2);
    if (q > c) plateau.upper_share += 1.0 / (kSteps / 2);
  }
  return plateau;
}

TEST(StraightThrough, AlternatesAroundTheMinimumInProportion) {
  const Plateau plateau = descend_straight_through(0.37, 0.25, 0.1);
  EXPECT_NEAR(plateau.average, 0.37, 1e-3);
  EXPECT_NEAR(plateau.upper_share, 0.48, 2e-3);  // (c - lo) / s
  EXPECT_LE(std::fabs(plateau.weight - 0.37), 0.25 / 2 + 0.1 * 0.25);
}

TEST(StraightThrough, HalvingTheStepQuartersTheSquaredGradient) {
  const Plateau coarse = descend_straight_through(0.25 + 0.48 * 0.25, 0.25, 0.1);
  const Plateau fine = descend_straight_through(0.25 + 0.48 * 0.125, 0.125, 0.1);
  EXPECT_NEAR(coarse.squared_gradient / fine.squared_gradient, 4.0, 0.02);
}

TEST(PseudoNoise, HasItsStationaryVariance) {
  const double rate = 0.1, step = 0.25, c = 0.37;
  constexpr std::size_t kSteps = 400000;
  std::vector<float> draws(kSteps), zeros(kSteps, 0.0F);
  Stream({1, Purpose::kNoise}).fill_uniform(draws, -0.5F, 0.5F);
  ChannelGrids grids;
  grids.set(0, symmetric_grid(static_cast<float>(step), 4));
  add_scaled_noise(grids, 1, zeros, draws);
  double w = c, sum = 0, squares = 0;
  for (const float noise : draws) {
    w -= rate * (w + static_cast<double>(noise) - c);
    sum += w - c;
    squares += (w - c) * (w - c);
  }
  EXPECT_NEAR(sum / kSteps, 0.0, 5e-4);
  EXPECT_NEAR(squares / kSteps, rate / (2 - rate) * step * step / 12, 0.03 * 2.741e-4);
}

// specs A 3.1: on a quadratic the expected loss rises by s^2 / 24 times the trace of its Hessian (a s^2 / 24 a
// coordinate), and the gradient keeps its mean.
TEST(PseudoNoise, RaisesTheExpectedLossByTheTraceOfTheHessian) {
  const double step = 0.5;
  const double hessian[2][2] = {{1.0, 0.6}, {0.6, 4.0}};
  const std::vector<float> w = {0.3F, -0.2F};
  const auto slope = [&](const float* at, int row) {
    return hessian[row][0] * static_cast<double>(at[0]) + hessian[row][1] * static_cast<double>(at[1]);
  };
  const auto loss = [&](const float* at) {
    return (static_cast<double>(at[0]) * slope(at, 0) + static_cast<double>(at[1]) * slope(at, 1)) / 2;
  };
  constexpr std::size_t kDraws = 1000000;
  std::vector<float> points(2 * kDraws), still(2 * kDraws);
  for (std::size_t i = 0; i < still.size(); ++i) still[i] = w[i % 2];
  Stream({4, Purpose::kNoise}).fill_uniform(points, -0.5F, 0.5F);
  ChannelGrids grids;
  grids.set(0, symmetric_grid(static_cast<float>(step), 4));
  add_scaled_noise(grids, 1, still, points);
  double rise = 0, drift[2] = {0, 0};
  for (std::size_t i = 0; i < points.size(); i += 2) {
    rise += (loss(&points[i]) - loss(w.data())) / kDraws;
    for (const int row : {0, 1}) drift[row] += (slope(&points[i], row) - slope(w.data(), row)) / kDraws;
  }
  EXPECT_NEAR(rise, 0.0520833, 7e-4);  // 0.25 / 24 * (1 + 4); four standard errors
  EXPECT_NEAR(drift[0], 0.0, 7e-4);
  EXPECT_NEAR(drift[1], 0.0, 2.4e-3);
}

TEST(SeveralWidths, AverageToTheMinimum) {
  const double c = 0.37, rate = 0.02;
  const double steps[] = {0.5, 0.25, 0.1};
  double w = 0.9, average = 0;
  constexpr int kSteps = 200000;
  Stream stream({2, Purpose::kWidths});
  for (int t = 0; t < kSteps; ++t) {
    w -= rate * (rounded(w, steps[stream.below(3)]) - c);
    if (t < kSteps / 2) continue;
    for (const double step : steps) average += rounded(w, step) / (3.0 * kSteps / 2);
  }
  EXPECT_NEAR(average, c, 2e-3);
}

}  // namespace
}  // namespace anybit
