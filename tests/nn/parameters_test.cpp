#include "nn/parameters.h"

#include <gtest/gtest.h>

#include <stdexcept>

namespace anybit {
namespace {

TensorSpec tensor(const std::string& name, std::vector<int> shape) {
  TensorSpec spec;
  spec.name = name;
  spec.shape = std::move(shape);
  return spec;
}

TEST(Layout, TensorsFollowEachOtherWithoutGaps) {
  const Layout layout({tensor("a", {2, 3}), tensor("b", {}), tensor("c", {4})});
  EXPECT_EQ(layout.size(), 11U);
  EXPECT_EQ(layout.tensors()[1].offset, 6U);
  EXPECT_EQ(layout.tensors()[1].size, 1U);
  EXPECT_EQ(layout.tensors()[2].offset, 7U);
  EXPECT_EQ(layout.index("c"), 2);
}

TEST(Layout, AnUnknownNameIsNamed) {
  const Layout layout({tensor("a", {2})});
  try {
    layout.index("conv9.weight");
    FAIL();
  } catch (const std::out_of_range& error) {
    EXPECT_NE(std::string(error.what()).find("conv9.weight"), std::string::npos);
  }
}

TEST(Layout, RefusesWhatIsNoLayout) {
  EXPECT_THROW(Layout({tensor("a", {2}), tensor("a", {3})}), std::invalid_argument);
  EXPECT_THROW(Layout({tensor("a", {2, 0})}), std::invalid_argument);
  EXPECT_THROW(Layout({tensor("a", {-1})}), std::invalid_argument);
  EXPECT_THROW(Layout({tensor("a", {2147483647, 2147483647, 2147483647})}), std::invalid_argument);
  TensorSpec uneven = tensor("a", {6});
  uneven.channels = 4;
  EXPECT_THROW(Layout({uneven}), std::invalid_argument);
}

TEST(Layout, DigestSeesNamesShapesRolesAndMerges) {
  const std::uint64_t digest = Layout({tensor("a", {2, 3})}).digest();
  EXPECT_EQ(Layout({tensor("a", {2, 3})}).digest(), digest);
  EXPECT_NE(Layout({tensor("b", {2, 3})}).digest(), digest);
  EXPECT_NE(Layout({tensor("a", {3, 2})}).digest(), digest);
  EXPECT_NE(Layout({tensor("a", {6})}).digest(), digest);
  EXPECT_NE(Layout({tensor("a", {2, 3}), tensor("b", {})}).digest(), digest);
  TensorSpec changed = tensor("a", {2, 3});
  changed.role = Role::kBias;
  EXPECT_NE(Layout({changed}).digest(), digest);
  changed.role = Role::kWeight;
  changed.merge = Merge::kMax;
  EXPECT_NE(Layout({changed}).digest(), digest);
}

TEST(Parameters, TensorsAreWindowsOfOneBuffer) {
  Parameters parameters(std::make_shared<Layout>(std::vector{tensor("a", {2}), tensor("b", {3})}));
  EXPECT_EQ(parameters.values.size(), 5U);
  parameters.tensor(1)[2] = 8.0F;
  EXPECT_EQ(parameters.values[4], 8.0F);
  const Parameters copy = parameters;
  EXPECT_EQ(copy.tensor(1)[2], 8.0F);
  EXPECT_EQ(copy.tensor(0).size(), 2U);
}

TEST(Parameters, MeansAreOfValuesOrOfLogarithms) {
  TensorSpec spec = tensor("a", {2});
  for (const Merge merge :
       {Merge::kMean, Merge::kLogMean, Merge::kMax, Merge::kSum, Merge::kServer, Merge::kRecompute, Merge::kLocal}) {
    spec.merge = merge;
    EXPECT_EQ(is_merged_by_mean(spec), merge == Merge::kMean || merge == Merge::kLogMean) << to_string(merge);
  }
}

TEST(Parameters, EveryRoleAndMergeHasAName) {
  for (const Role role : {Role::kWeight, Role::kBias, Role::kNorm, Role::kQuantizer, Role::kStatistic})
    EXPECT_NE(to_string(role), "unknown");
  EXPECT_EQ(to_string(Merge::kLogMean), "log-mean");
  EXPECT_EQ(to_string(Merge::kLocal), "local");
}

}  // namespace
}  // namespace anybit
