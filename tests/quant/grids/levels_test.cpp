#include "quant/grids/levels.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/quant/normal_quantiles.h"

namespace anybit {
namespace {

// Lloyd-Max levels of N(0, 1) at 2 bits (specs A 0.3).
TEST(LevelsGrid, TakesTheNearestLevelAndTheLowerOneOfATie) {
  const LevelsGrid grid({-1.51042F, -0.45278F, 0.45278F, 1.51042F});
  EXPECT_EQ(grid.encode(-9.0F), 0);
  EXPECT_EQ(grid.encode(-0.5F), 1);
  EXPECT_EQ(grid.encode(0.0F), 1);  // a tie
  EXPECT_EQ(grid.encode(1e-6F), 2);
  EXPECT_EQ(grid.encode(9.0F), 3);
  EXPECT_EQ(grid.decode(3), 1.51042F);
  EXPECT_FALSE(grid.has_zero());
  EXPECT_FALSE(grid.uniform());
}

double mean_squared_error(const LevelsGrid& grid, const std::vector<float>& values) {
  double sum = 0;
  for (const float x : values) {
    const double d = static_cast<double>(grid.decode(grid.encode(x))) - static_cast<double>(x);
    sum += d * d;
  }
  return sum / static_cast<double>(values.size());
}

// specs A 0.3: Lloyd-Max for N(0, 1), levels and error; moving a pair of levels either way makes it worse.
TEST(LevelsGrid, HasTheErrorOfLloydAndMaxOnANormalSample) {
  const std::vector<float> values = normal_quantiles(200000);
  const auto one_bit = [](float a) { return LevelsGrid({-a, a}); };
  EXPECT_NEAR(mean_squared_error(one_bit(0.79788F), values), 0.36338, 1e-4);
  const auto two_bits = [](float inner, float outer) { return LevelsGrid({-outer, -inner, inner, outer}); };
  EXPECT_NEAR(mean_squared_error(two_bits(0.45278F, 1.51042F), values), 0.11748, 1e-4);
  for (const float off : {-0.02F, 0.02F}) {
    EXPECT_GT(mean_squared_error(one_bit(0.79788F + off), values), 0.36338 + 2e-4);
    EXPECT_GT(mean_squared_error(two_bits(0.45278F + off, 1.51042F), values), 0.11748 + 1e-4);
    EXPECT_GT(mean_squared_error(two_bits(0.45278F, 1.51042F + off), values), 0.11748 + 2e-5);
  }
}

TEST(LevelsGrid, KnowsItsProperties) {
  EXPECT_TRUE(LevelsGrid({-1.0F, 0.0F, 1.0F}).has_zero());
  EXPECT_TRUE(LevelsGrid({-1.0F, 0.0F, 1.0F}).uniform());
  EXPECT_THROW(LevelsGrid({1.0F}), std::invalid_argument);
  EXPECT_THROW(LevelsGrid({1.0F, 1.0F}), std::invalid_argument);
}

}  // namespace
}  // namespace anybit
