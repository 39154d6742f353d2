#include "server/strategies/adaptive.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/server/strategies/played_strategy.h"

namespace anybit {
namespace {

const NamedNumbers kGolden = {{"rate", 0.1}, {"tau", 1e-3}};
const NamedNumbers kGoldenWithMoments = {{"rate", 0.1}, {"tau", 1e-3}, {"beta1", 0.9}, {"beta2", 0.99}};

TEST(FedAdagrad, EqualsTheGoldenOfSpecsD) {
  PlayedStrategy played("fedadagrad", kGolden);
  played.apply();
  played.expect_global({1, -2.098039, 0.599602});
  played.apply();
  played.expect_global({1, -2.167764, 0.670113});
}

TEST(FedAdam, EqualsTheGoldenOfSpecsD) {
  PlayedStrategy played("fedadam", kGoldenWithMoments);
  played.apply();
  played.expect_global({1, -2.083333, 0.596154});
  played.apply();
  played.expect_global({1, -2.201296, 0.727127});
}

TEST(FedYogi, EqualsTheGoldenOfSpecsD) {
  PlayedStrategy played("fedyogi", kGoldenWithMoments);
  played.apply();
  played.expect_global({1, -2.083333, 0.596154});
  played.apply();
  played.expect_global({1, -2.201038, 0.726809});
}

// v = 0.01, then D^2 = 0.0001 below it: v - 0.01 * 0.0001, where fedadam has 0.99 v + 0.01 * 0.0001.
TEST(FedYogi, ForgetsALargeChangeSlowly) {
  const NamedNumbers last_only = {{"rate", 1.0}, {"tau", 1.0}, {"beta1", 0.0}, {"beta2", 0.99}};
  const auto second_moment = [&](const char* name) {
    PlayedStrategy played(name, last_only);
    played.apply({1.0F, 1.0F, 1.0F});
    EXPECT_NEAR(played.state[0], 0.01F, 1e-8F);
    played.apply({0.01F, 0.01F, 0.01F});
    return played.state[0];
  };
  EXPECT_NEAR(second_moment("fedyogi"), 0.009999F, 1e-8F);
  EXPECT_NEAR(second_moment("fedadam"), 0.009901F, 1e-8F);
}

TEST(FedYogi, KeepsItsSecondMomentWhereTheChangeIsOfThatSize) {
  PlayedStrategy played("fedyogi", {{"beta2", 0.5}});
  played.state[0] = 0.25F;
  played.apply({0.5F, 0.0F, 0.0F});
  EXPECT_EQ(played.state[0], 0.25F);
}

TEST(AdaptiveStrategies, MoveNothingThatHasNeverChanged) {
  for (const char* name : {"fedadagrad", "fedadam", "fedyogi"}) {
    PlayedStrategy played(name);
    played.apply({0.0F, 1e-30F, 1.0F});
    EXPECT_EQ(played.global[0], 1.0F) << name;
    EXPECT_EQ(played.global[1], -2.0F) << name << ": a step of 1e-30, as its square is lost";
    EXPECT_GT(played.global[2], 0.5F) << name;
  }
}

TEST(AdaptiveStrategies, RefuseOptionsOutOfRange) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::string name : {"fedadagrad", "fedadam", "fedyogi"})
    for (const std::string key : {"rate", "tau"})
      for (const double value : {0.0, -1.0, nan, std::numeric_limits<double>::infinity()})
        EXPECT_EQ(strategy_refusal(name, {{key, value}}),
                  "s.toml:7: federation.strategy." + key + ": must be a number above 0");
  for (const std::string name : {"fedadam", "fedyogi"})
    for (const std::string key : {"beta1", "beta2"})
      for (const double value : {-0.1, 1.0, nan})
        EXPECT_EQ(strategy_refusal(name, {{key, value}}),
                  "s.toml:7: federation.strategy." + key + ": must be a number from 0 to below 1");
  EXPECT_EQ(strategy_refusal("fedadagrad", {{"beta1", 0.9}}),
            "s.toml:7: federation.strategy.beta1: 'fedadagrad' has no option 'beta1'; known: rate, tau");
}

}  // namespace
}  // namespace anybit
