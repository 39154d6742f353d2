#include "quant/grids/log.h"

#include <gtest/gtest.h>

#include <limits>

namespace anybit {
namespace {

TEST(LogGrid, RoundsInTheLogarithm) {
  const LogGrid grid{2.0F, 0.125F, 4};  // 0, +-1/8, +-1/4, +-1/2, +-1
  EXPECT_EQ(grid.encode(0.0F), 0);
  EXPECT_EQ(grid.encode(0.05F), 0);
  EXPECT_EQ(grid.encode(0.1F), 1);
  EXPECT_EQ(grid.encode(0.3F), 2);
  EXPECT_EQ(grid.encode(0.36F), 3);  // above 1/4 sqrt(2) = 0.3536
  EXPECT_EQ(grid.encode(-100.0F), -4);
  EXPECT_EQ(grid.decode(0), 0.0F);
  EXPECT_EQ(grid.decode(3), 0.5F);
  EXPECT_EQ(grid.decode(-4), -1.0F);
  EXPECT_TRUE(grid.has_zero());
  EXPECT_FALSE(grid.uniform());
}

TEST(LogGrid, EncodesWhatIsNotFinite) {
  const LogGrid grid{2.0F, 1.0F, 4};
  EXPECT_EQ(grid.encode(std::numeric_limits<float>::infinity()), 4);
  EXPECT_EQ(grid.encode(-std::numeric_limits<float>::infinity()), -4);
  EXPECT_EQ(grid.encode(std::numeric_limits<float>::quiet_NaN()), 0);
}

}  // namespace
}  // namespace anybit
