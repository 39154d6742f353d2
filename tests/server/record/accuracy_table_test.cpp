#include "server/record/accuracy_table.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

Accuracy accuracy(int weights, int activations, const std::string& range, double value) {
  Accuracy made;
  made.point.weights = weights;
  made.point.activations = activations;
  made.point.range = range;
  made.value = value;
  return made;
}

TEST(AccuracyTable, HasARowForEachSettingAndAColumnForEachWidth) {
  const std::string table = accuracy_table({accuracy(32, 32, "minmax", 0.9), accuracy(4, 32, "minmax", 0.8),
                                            accuracy(4, 32, "mse", 0.85), accuracy(4, 8, "mse", 0.5)});
  EXPECT_EQ(table,
            "range       granularity activations      W32      W4\n"
            "minmax      tensor      32             90.00   80.00\n"
            "mse         tensor      32             90.00   85.00\n"
            "mse         tensor      8                  -   50.00\n");
}

TEST(AccuracyTable, ShowsFloatAlone) {
  EXPECT_EQ(accuracy_table({accuracy(32, 32, "minmax", 1.0)}),
            "range       granularity activations      W32\n"
            "minmax      tensor      32            100.00\n");
}

TEST(AccuracyTable, KeepsFirstAndLastWidthsApart) {
  std::vector<Accuracy> accuracies{accuracy(4, 32, "minmax", 0.8), accuracy(4, 32, "minmax", 0.5),
                                   accuracy(32, 32, "minmax", 0.9)};
  accuracies[0].point.first = 8;
  accuracies[0].point.last = 6;
  EXPECT_EQ(accuracy_table(accuracies),
            "range       granularity activations first last       W32      W4\n"
            "minmax      tensor      32          8     6            -   80.00\n"
            "minmax      tensor      32          -     -        90.00   50.00\n");
}

TEST(AccuracyTable, KeepsActivationsOfTheMethodsOwnQuantizersApart) {
  std::vector<Accuracy> accuracies{accuracy(32, 32, "trained", 0.9), accuracy(32, 8, "trained", 0.8),
                                   accuracy(32, 8, "minmax", 0.7),   accuracy(4, 8, "trained", 0.6),
                                   accuracy(4, 8, "minmax", 0.5),    accuracy(4, 32, "trained", 0.4)};
  for (Accuracy& one : accuracies)
    if (one.point.range == "trained") one.point.granularity = "trained";
  EXPECT_EQ(accuracy_table(accuracies),
            "range       granularity activations      W32      W4\n"
            "trained     trained     8              80.00   60.00\n"
            "minmax      tensor      8              70.00   50.00\n"
            "trained     trained     32             90.00   40.00\n");
  EXPECT_EQ(merge_accuracies(accuracies, accuracies).size(), accuracies.size());
}

TEST(AccuracyTable, MergesWithoutMeasuringTheSamePointTwice) {
  const std::vector<Accuracy> merged =
      merge_accuracies({accuracy(32, 32, "mse", 0.9), accuracy(4, 32, "mse", 0.8)},
                       {accuracy(32, 32, "minmax", 0.9), accuracy(4, 32, "minmax", 0.7), accuracy(4, 32, "mse", 0.8)});
  ASSERT_EQ(merged.size(), 3U);  // float weights have no range rule, so 32 is known already
  EXPECT_EQ(merged[2].point.range, "minmax");
}

}  // namespace
}  // namespace anybit
