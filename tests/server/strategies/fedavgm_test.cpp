#include "server/strategies/fedavgm.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/server/strategies/played_strategy.h"

namespace anybit {
namespace {

TEST(FedAvgM, EqualsTheGoldenOfSpecsD) {
  PlayedStrategy played("fedavgm", {{"beta", 0.9}});
  played.apply();
  played.expect_global({1, -2.05, 0.75});
  played.apply();
  played.expect_global({1, -2.145, 1.225});
}

TEST(FedAvgM, TakesTheRateOnceAndNotIntoTheMomentum) {
  PlayedStrategy played("fedavgm", {{"beta", 0.9}, {"rate", 0.5}});
  played.apply();
  played.apply();
  // m = (0, -0.05, 0.25), then 1.9 times that.
  played.expect_global({1, -2 - 0.5 * 0.05 * 2.9, 0.5 + 0.5 * 0.25 * 2.9});
}

TEST(FedAvgM, RefusesWhatMakesNoMean) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const double rate : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()})
    EXPECT_EQ(strategy_refusal("fedavgm", {{"rate", rate}}),
              "s.toml:7: federation.strategy.rate: must be a number above 0");
  for (const double beta : {-0.1, 1.0, nan})
    EXPECT_EQ(strategy_refusal("fedavgm", {{"beta", beta}}),
              "s.toml:7: federation.strategy.beta: must be a number from 0 to below 1");
  EXPECT_EQ(strategy_refusal("fedavgm", {{"beta", 0.0}}), "");
}

}  // namespace
}  // namespace anybit
