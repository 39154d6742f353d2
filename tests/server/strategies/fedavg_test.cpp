#include <gtest/gtest.h>

#include "server/strategies/strategy.h"

namespace anybit {
namespace {

/// Applies fedavg to one tensor; golden values of specs D: w = (1, -2, 0.5), mean change (0, -0.05, 0.25).
std::vector<float> apply(double rate, Role role, Merge merge) {
  Options options("federation.strategy");
  options.set("rate", rate);
  const auto strategy = strategies().make({"fedavg", options, {}});
  EXPECT_EQ(strategy->state_buffers(), 0);
  const Layout layout({{.name = "t", .shape = {3}, .role = role, .merge = merge}});
  const std::vector<float> change = {0.0F, -0.05F, 0.25F};
  std::vector<float> global = {1.0F, -2.0F, 0.5F};
  strategy->apply(layout, change, {}, global);
  return global;
}

using Values = std::vector<float>;

TEST(FedAvg, AddsTheMeanChangeTimesTheServerRate) {
  EXPECT_EQ(apply(1.0, Role::kWeight, Merge::kMean), (Values{1.0F, -2.05F, 0.75F}));
  EXPECT_EQ(apply(0.5, Role::kWeight, Merge::kMean), (Values{1.0F, -2.025F, 0.625F}));
  for (const Role role : {Role::kBias, Role::kNorm, Role::kQuantizer})
    EXPECT_EQ(apply(0.5, role, Merge::kMean), (Values{1.0F, -2.025F, 0.625F}));
  EXPECT_EQ(apply(0.5, Role::kQuantizer, Merge::kLogMean), (Values{1.0F, -2.025F, 0.625F}));
}

TEST(FedAvg, GivesStatisticsAndMaximaThePlainChange) {
  EXPECT_EQ(apply(0.5, Role::kStatistic, Merge::kMean), (Values{1.0F, -2.05F, 0.75F}));
  EXPECT_EQ(apply(0.5, Role::kQuantizer, Merge::kMax), (Values{1.0F, -2.05F, 0.75F}));
}

TEST(FedAvg, NeverWritesBackSumsAndWhatIsNotMerged) {
  for (const Merge merge : {Merge::kSum, Merge::kServer, Merge::kRecompute, Merge::kLocal})
    EXPECT_EQ(apply(1.0, Role::kStatistic, merge), (Values{1.0F, -2.0F, 0.5F}));
}

TEST(FedAvg, RefusesARateThatIsNotPositive) {
  for (const double rate : {0.0, -1.0}) {
    Options options("federation.strategy");
    options.set("rate", rate, {"s.toml", 7});
    try {
      strategies().make({"fedavg", options, {}});
      FAIL() << "accepted " << rate;
    } catch (const ScenarioError& error) {
      EXPECT_EQ(std::string(error.what()), "s.toml:7: federation.strategy.rate: must be a number above 0");
    }
  }
}

}  // namespace
}  // namespace anybit
