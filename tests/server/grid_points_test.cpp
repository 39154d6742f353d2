#include "server/grid_points.h"

#include <gtest/gtest.h>

#include "tests/server/small_model.h"

namespace anybit {
namespace {

std::vector<std::string> names_of(const EvaluationGrid& grid) {
  std::vector<std::string> names;
  for (const GridPoint& p : grid_points(grid))
    names.push_back(std::to_string(p.weights) + "/" + std::to_string(p.activations) + " " + p.range + " " +
                    p.granularity);
  return names;
}

TEST(GridPoints, AreInTheOrderOfTheListsAndAppearOnce) {
  EXPECT_EQ(names_of(full_grid()),
            (std::vector<std::string>{"32/32 minmax tensor", "32/4 minmax tensor", "3/32 minmax tensor",
                                      "3/32 minmax channel", "3/32 mse tensor", "3/32 mse channel", "3/4 minmax tensor",
                                      "3/4 minmax channel", "3/4 mse tensor", "3/4 mse channel", "2/32 minmax tensor",
                                      "2/32 minmax channel", "2/32 mse tensor", "2/32 mse channel", "2/4 minmax tensor",
                                      "2/4 minmax channel", "2/4 mse tensor", "2/4 mse channel"}));
}

TEST(GridPoints, DropRepeatedValues) {
  EvaluationGrid grid;
  grid.weights = {4, 32, 4};
  EXPECT_EQ(names_of(grid), (std::vector<std::string>{"4/32 minmax tensor", "32/32 minmax tensor"}));
}

TEST(GridPoints, OfTheMethodsOwnQuantizersHaveNoGranularity) {
  EvaluationGrid grid;
  grid.weights = {32, 4};
  grid.activations = {32, 8};
  grid.range = {"trained", "minmax"};
  grid.granularity = {"tensor", "channel"};
  EXPECT_EQ(names_of(grid),
            (std::vector<std::string>{"32/32 trained trained", "32/8 trained trained", "32/8 minmax tensor",
                                      "4/32 trained trained", "4/32 minmax tensor", "4/32 minmax channel",
                                      "4/8 trained trained", "4/8 minmax tensor", "4/8 minmax channel"}))
      << "in float all are the same; with float weights the activations still are the method's own, or by ranges";
}

TEST(SamePoint, TellsWhatIsMeasuredTwice) {
  const GridPoint usual{4, 8, "minmax", "tensor", 0, 0, {}}, searched{4, 8, "mse", "tensor", 0, 0, {}},
      trained{4, 8, "trained", "trained", 0, 0, {}};
  const auto at = [](GridPoint point, int weights, int activations) {
    point.weights = weights;
    point.activations = activations;
    return point;
  };
  EXPECT_TRUE(same_point(usual, usual));
  EXPECT_FALSE(same_point(usual, searched));
  EXPECT_FALSE(same_point(usual, trained));
  EXPECT_TRUE(same_point(at(usual, 32, 8), at(searched, 32, 8)));
  EXPECT_FALSE(same_point(at(usual, 32, 8), at(trained, 32, 8)));
  EXPECT_TRUE(same_point(at(trained, 32, 8), at(trained, 32, 8)));
  EXPECT_TRUE(same_point(at(usual, 32, 32), at(trained, 32, 32)));
  EXPECT_FALSE(same_point(at(usual, 32, 32), at(usual, 32, 8)));
  GridPoint ends = usual;
  ends.last = 8;
  EXPECT_FALSE(same_point(usual, ends));
}

}  // namespace
}  // namespace anybit
