// What holds for every strategy.
#include <gtest/gtest.h>

#include "tests/server/strategies/played_strategy.h"

namespace anybit {
namespace {

using Values = std::vector<float>;

struct EveryStrategy : testing::TestWithParam<std::string> {};

/// One tensor after rounds with these changes.
Values after(const std::string& name, const TensorSpec& tensor, const std::vector<Values>& changes) {
  const auto strategy = make_strategy(name);
  const Layout layout({tensor});
  Values global = {1.0F, -2.0F, 0.5F};
  Values state(3 * static_cast<std::size_t>(strategy->state_buffers()));
  for (const Values& change : changes) strategy->apply(layout, change, state, global);
  return global;
}

const Values kChange = {0.25F, -0.5F, 0.125F};

TEST_P(EveryStrategy, MovesLearntTensorsAlike) {
  const Values weights = after(GetParam(), {.name = "t", .shape = {3}}, {kChange, kChange});
  EXPECT_NE(weights, (Values{1.0F, -2.0F, 0.5F}));
  for (const Role role : {Role::kBias, Role::kNorm, Role::kQuantizer})
    for (const Merge merge : {Merge::kMean, Merge::kLogMean})
      EXPECT_EQ(after(GetParam(), {.name = "t", .shape = {3}, .role = role, .merge = merge}, {kChange, kChange}),
                weights);
}

TEST_P(EveryStrategy, GivesStatisticsAndMaximaThePlainChange) {
  const Values twice = {1.5F, -3.0F, 0.75F};
  EXPECT_EQ(after(GetParam(), {.name = "t", .shape = {3}, .role = Role::kStatistic}, {kChange, kChange}), twice);
  const TensorSpec maximum{.name = "t", .shape = {3}, .role = Role::kQuantizer, .merge = Merge::kMax};
  EXPECT_EQ(after(GetParam(), maximum, {kChange, kChange}), twice);
}

TEST_P(EveryStrategy, NeverWritesBackSumsAndWhatIsNotMerged) {
  for (const Merge merge : {Merge::kSum, Merge::kServer, Merge::kRecompute, Merge::kLocal})
    EXPECT_EQ(after(GetParam(), {.name = "t", .shape = {3}, .role = Role::kStatistic, .merge = merge}, {kChange}),
              (Values{1.0F, -2.0F, 0.5F}));
}

TEST_P(EveryStrategy, LeavesATensorAloneThatNobodyTrained) {
  const TensorSpec weights{.name = "t", .shape = {3}};
  EXPECT_EQ(after(GetParam(), weights, {kChange, Values(3, 0.0F), kChange}),
            after(GetParam(), weights, {kChange, kChange}))
      << "neither momentum nor anything else acts in a round without it";
}

INSTANTIATE_TEST_SUITE_P(All, EveryStrategy, testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const RowInfo& row : strategies().infos()) names.push_back(row.name);
                           return names;
                         }()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace anybit
