#include "quant/grids/levels.h"

#include <gtest/gtest.h>

#include <stdexcept>

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

TEST(LevelsGrid, KnowsItsProperties) {
  EXPECT_TRUE(LevelsGrid({-1.0F, 0.0F, 1.0F}).has_zero());
  EXPECT_TRUE(LevelsGrid({-1.0F, 0.0F, 1.0F}).uniform());
  EXPECT_THROW(LevelsGrid({1.0F}), std::invalid_argument);
  EXPECT_THROW(LevelsGrid({1.0F, 1.0F}), std::invalid_argument);
}

}  // namespace
}  // namespace anybit
