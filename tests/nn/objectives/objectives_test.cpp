#include <gtest/gtest.h>

#include "nn/objectives/objective.h"

namespace anybit {
namespace {

std::unique_ptr<Objective> make_fedprox(double mu) {
  Options options("training.objective");
  options.set("mu", mu, {"s.toml", 3});
  return objectives().make({"fedprox", options, {}});
}

TEST(Objectives, PlainIsANullPointer) {
  EXPECT_EQ(objectives().make({"plain", Options(), {}}), nullptr);
  EXPECT_EQ(make_fedprox(0.0), nullptr);
}

TEST(FedProx, EqualsTheGoldenOfSpecsD) {
  // mu = 0.1, w_global = (1, -2, 0.5), w_local = (1.2, -1.5, 0.5): gradient (0.02, 0.05, 0), term 0.0145.
  const Layout layout({{.name = "w", .shape = {3}}});
  const std::vector<float> received = {1.0F, -2.0F, 0.5F};
  const std::vector<float> local = {1.2F, -1.5F, 0.5F};
  std::vector<float> gradients = {1.0F, 2.0F, 3.0F};
  const double term = make_fedprox(0.1)->add(layout, local, received, gradients);
  EXPECT_NEAR(term, 0.0145, 1e-8);
  EXPECT_NEAR(gradients[0], 1.02F, 1e-6F);
  EXPECT_NEAR(gradients[1], 2.05F, 1e-6F);
  EXPECT_EQ(gradients[2], 3.0F);
}

TEST(FedProx, ReachesEveryElementOfALongTensor) {
  // 19 elements: two rounds of eight lanes and a rest of three; element i differs by i: sum of squares 2109.
  const Layout layout({{.name = "w", .shape = {19}}});
  std::vector<float> local(19);
  for (int i = 0; i < 19; ++i) local[static_cast<std::size_t>(i)] = static_cast<float>(i);
  std::vector<float> gradients(19, 0.0F);
  EXPECT_EQ(make_fedprox(2.0)->add(layout, local, std::vector<float>(19, 0.0F), gradients), 2109.0);
  for (int i = 0; i < 19; ++i) EXPECT_EQ(gradients[static_cast<std::size_t>(i)], 2.0F * static_cast<float>(i));
}

TEST(FedProx, LeavesStatisticsAndLocalTensorsAlone) {
  const Layout layout({{.name = "mean", .shape = {1}, .role = Role::kStatistic},
                       {.name = "mine", .shape = {1}, .merge = Merge::kLocal}});
  std::vector<float> gradients = {0.0F, 0.0F};
  const std::vector<float> local = {5.0F, 5.0F};
  EXPECT_EQ(make_fedprox(1.0)->add(layout, local, std::vector<float>{0.0F, 0.0F}, gradients), 0.0);
  EXPECT_EQ(gradients, (std::vector<float>{0.0F, 0.0F}));
}

TEST(FedProx, RefusesANegativeStrength) {
  try {
    make_fedprox(-0.1);
    FAIL();
  } catch (const ScenarioError& error) {
    EXPECT_EQ(std::string(error.what()),
              "s.toml:3: training.objective.mu: must be a finite number that is not negative");
  }
}

}  // namespace
}  // namespace anybit
