#include "quant/quantizers/learned_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "nn/random.h"

namespace anybit {
namespace {

// specs A 4.1: full range at 3 bits. The golden gradient is of s; ours, of log2 s, is divided by s ln 2.
TEST(LearnedStep, MatchesTheGoldenNumbers) {
  const std::vector<float> v = {-0.9F, -0.26F, 0.02F, 0.13F, 0.31F, 0.5F};
  std::vector<float> y(6), gradient(6, 1.0F), log2_gradient(1, 0.0F);
  ChannelGrids grids;
  grids.set(0, symmetric_grid(0.1F, 3, true));
  quantize(grids, 1, Rounding::kHalfEven, v, {}, y);
  const std::vector<float> expected = {-0.4F, -0.3F, 0.0F, 0.1F, 0.3F, 0.3F};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(y[i], expected[i], 1e-7F);
  learned_step_backward(grids, 1, lsq_divisor(6, 3), v, y, gradient, log2_gradient);
  EXPECT_EQ(gradient, (std::vector<float>{0, 1, 1, 1, 0, 0}));
  EXPECT_NEAR(static_cast<double>(log2_gradient[0]), 0.2592724864 / (0.1 * std::log(2.0)), 1e-6);
}

// With the codes and clipping decisions of the base point held fixed, y is s * code, and the surrogate's derivative in
// s is -u + round(u) inside: the difference quotient in s of s (c + round(u) - u) with c = clip(v / s).
TEST(LearnedStep, GradientIsTheDifferenceQuotientOfItsSurrogate) {
  Stream stream({2, Purpose::kTest});
  std::vector<float> v(96), y(96), gradient(96);
  for (float& x : v) x = static_cast<float>(0.5 * stream.normal());
  for (float& g : gradient) g = static_cast<float>(0.01 * stream.normal());
  for (const int stride : {1, 8}) {
    ChannelGrids grids(4);
    for (int c = 0; c < 4; ++c) grids.set(c, symmetric_grid(0.1F + 0.07F * static_cast<float>(c), 3));
    quantize(grids, stride, Rounding::kHalfEven, v, {}, y);
    std::vector<double> expected(4, 0.0);
    for (std::size_t i = 0; i < v.size(); ++i) {
      const std::size_t c = (i / static_cast<std::size_t>(stride)) % 4;
      const UniformGrid grid = grids.at(static_cast<int>(c));
      const double s = static_cast<double>(grid.scale);
      const double residual = std::nearbyint(v[i] / s) - v[i] / s;
      const auto surrogate = [&](double step) {
        const double u = v[i] / step;
        return u < grid.low ? step * grid.low : u > grid.high ? step * grid.high : step * (u + residual);
      };
      const double h = 1e-6;
      expected[c] +=
          static_cast<double>(gradient[i]) * (surrogate(s + h) - surrogate(s - h)) / (2 * h) / (s * std::numbers::ln2);
    }
    std::vector<float> masked = gradient, log2_gradient(4, 0.0F);
    learned_step_backward(grids, stride, lsq_divisor(24, 3), v, y, masked, log2_gradient);
    for (std::size_t c = 0; c < 4; ++c)
      EXPECT_NEAR(static_cast<double>(log2_gradient[c]), expected[c] / std::sqrt(24.0 * 3.0), 1e-5) << stride;
  }
}

TEST(LearnedStep, StartsAtTwiceTheMeanMagnitude) {
  const std::vector<float> v = {1.0F, -3.0F, 0.0F, 0.0F, 2.0F, -2.0F};
  std::vector<float> one(1), beside(2), runs(3);
  initial_log2_steps(v, 1, 3, one);
  EXPECT_NEAR(static_cast<double>(one[0]), std::log2(2.0 * (8.0 / 6.0) / std::sqrt(3.0)), 1e-6);
  initial_log2_steps(v, 1, 2, beside);
  EXPECT_NEAR(static_cast<double>(beside[0]), std::log2(2.0), 1e-6);
  EXPECT_NEAR(static_cast<double>(beside[1]), std::log2(2.0 * 5.0 / 3.0), 1e-6);
  initial_log2_steps(v, 2, 2, runs);
  EXPECT_EQ(runs[1], 0.0F);
  EXPECT_EQ(runs[2], 2.0F);
  EXPECT_EQ(step_from_log2(-3.0F), 0.125F);
  EXPECT_TRUE(std::isfinite(1.0F / step_from_log2(-1e30F)));
}

TEST(LearnedStep, IsATensorMergedByItsLogarithm) {
  TensorSpec weight;
  weight.name = "conv1.weight";
  weight.channels = 32;
  const TensorSpec step = step_tensor(weight, 4, true);
  EXPECT_EQ(step.name, "conv1.weight.step4");
  EXPECT_EQ(step.shape, std::vector<int>{32});
  EXPECT_EQ(step.role, Role::kQuantizer);
  EXPECT_EQ(step.merge, Merge::kLogMean);
  EXPECT_FALSE(step.group.decay);
}

TEST(LearnedStep, IsFiniteWhateverWasStored) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(step_from_log2(std::numeric_limits<float>::quiet_NaN()), 0x1p-60F);
  EXPECT_EQ(step_from_log2(-kInfinity), 0x1p-60F);
  EXPECT_EQ(step_from_log2(kInfinity), 0x1p60F);
}

}  // namespace
}  // namespace anybit
