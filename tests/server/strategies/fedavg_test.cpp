#include <gtest/gtest.h>

#include <algorithm>

#include "nn/optimizers/optimizer.h"
#include "server/aggregate.h"
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

/// One weight, clients with F(w) = a/2 (w - c)^2.
struct Quadratic {
  double a = 0, c = 0;
  std::uint32_t examples = 0;
};

/// Where `rounds` rounds of five steps of sgd at rate 0.1 end, through the server's sum and fedavg at server rate 1.
double average_quadratics(const std::vector<Quadratic>& clients, int rounds) {
  const auto layout = std::make_shared<const Layout>(std::vector<TensorSpec>{{.name = "w", .shape = {1}}});
  const auto codec = codecs().make({"float32", Options(), {}});
  const auto strategy = strategies().make({"fedavg", Options(), {}});
  Options rate("training.optimizer");
  rate.set("rate", 0.1);
  const auto sgd = optimizers().make({"sgd", rate, {}});
  RoundSum sum(layout, {0}, codec.get(), static_cast<std::uint32_t>(clients.size()));
  std::vector<float> global = {3.0F};
  for (int round = 0; round < rounds; ++round) {
    sum.clear();
    for (const auto& [a, c, examples] : clients) {
      std::vector<float> local = global, gradient(1), state(static_cast<std::size_t>(sgd->state_buffers()));
      for (int step = 0; step < 5; ++step) {
        gradient[0] = static_cast<float>(a * (static_cast<double>(local[0]) - c));
        sgd->step(*layout, local, gradient, state, 0.0, step);
      }
      UpdateMessage update{.id = {},
                           .layout = layout->digest(),
                           .examples = examples,
                           .steps = 5,
                           .tensors = {0},
                           .shares = {},
                           .loss = 0.0,
                           .delta = {}};
      Bytes delta;
      codec->encode(*layout, std::vector<int>{0}, std::vector<float>{local[0] - global[0]}, {}, delta);
      update.delta = delta;
      EXPECT_EQ(sum.add(update), "");
    }
    strategy->apply(*layout, sum.close(), {}, global);
  }
  return static_cast<double>(global[0]);
}

// specs A 0.3: sum p beta c / sum p beta with beta = 1 - (1 - eta a)^K: (a, c) = (1, 0) has 0.40951, (4, 1) has
// 0.92224. Not the minimiser, 0.8: clients drift.
TEST(FedAvg, EndsWhereLocalStepsBalance) {
  EXPECT_NEAR(average_quadratics({{1, 0, 50}, {4, 1, 50}}, 60), 0.6925023465, 1e-6);
  EXPECT_NEAR(average_quadratics({{1, 0, 50}, {4, 1, 50}}, 1), 3.0 + (-3.0 * 0.40951 - 2.0 * 0.92224) / 2, 1e-6);
  // By examples: 3 * 0.92224 / (3 * 0.92224 + 0.40951).
  EXPECT_NEAR(average_quadratics({{1, 0, 25}, {4, 1, 75}}, 60), 0.8710704200, 1e-6);
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
