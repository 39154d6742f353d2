#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "nn/optimizers/groups.h"
#include "nn/optimizers/optimizer.h"
#include "nn/optimizers/schedule.h"
#include "tests/nn/golden_file.h"
#include "tests/nn/hash_numbers.h"

namespace anybit {
namespace {

using Settings = std::vector<std::pair<std::string, OptionValue>>;

std::unique_ptr<Optimizer> make_optimizer(const std::string& name, const Settings& settings) {
  Part part{name, Options("training.optimizer"), {"test.toml", 7}};
  for (const auto& [key, value] : settings) part.options.set(key, value, {"test.toml", 8});
  return optimizers().make(part);
}

TensorSpec tensor(const std::string& name, int size, float rate, bool decay) {
  TensorSpec spec;
  spec.name = name;
  spec.shape = {size};
  spec.group = {rate, decay};
  return spec;
}

/// The groups of tests/golden/make_nn_goldens.py; sizes that no vector register divides.
Layout golden_layout() {
  return Layout({tensor("a", 19, 1.0F, true), tensor("b", 5, 1.0F, true), tensor("c", 7, 0.5F, false),
                 tensor("d", 3, 0.0F, true)});
}

std::vector<float> golden_values(const Layout& layout, std::uint64_t stream) {
  std::vector<float> values;
  for (std::size_t k = 0; k < layout.tensors().size(); ++k)
    for (const float value : hash_numbers(stream + k, layout.tensors()[k].size)) values.push_back(value);
  return values;
}

std::vector<float> five_steps(const Optimizer& optimizer, double progress = 0.0) {
  const Layout layout = golden_layout();
  std::vector<float> values = golden_values(layout, 100);
  std::vector<float> state(layout.size() * static_cast<std::size_t>(optimizer.state_buffers()), 0.0F);
  for (int step = 0; step < 5; ++step) {
    std::vector<float> gradients = golden_values(layout, 200 + 10 * static_cast<std::uint64_t>(step));
    optimizer.step(layout, values, gradients, state, progress, step);
  }
  return values;
}

struct GoldenCase {
  std::string golden;
  std::string optimizer;
  Settings settings;
};

class OptimizerGolden : public testing::TestWithParam<GoldenCase> {};

TEST_P(OptimizerGolden, FiveStepsAgreeWithPyTorch) {
  const GoldenCase& c = GetParam();
  const std::vector<float> values = five_steps(*make_optimizer(c.optimizer, c.settings));
  const GoldenFile golden("nn_goldens.txt");
  const std::vector<double>& expected = golden["optimizer." + c.golden];
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 5e-7) << i;
}

INSTANTIATE_TEST_SUITE_P(
    Settings, OptimizerGolden,
    testing::Values(
        GoldenCase{"sgd", "sgd", {{"rate", 0.05}}},
        GoldenCase{"sgd_momentum_decay", "sgd", {{"rate", 0.05}, {"momentum", 0.9}, {"decay", 0.01}}},
        GoldenCase{"sgd_nesterov", "sgd", {{"rate", 0.05}, {"momentum", 0.9}, {"nesterov", true}}},
        GoldenCase{"sgd_clip_decay", "sgd", {{"rate", 0.05}, {"decay", 0.01}, {"clip", 0.5}}},
        GoldenCase{"adam", "adam", {{"rate", 0.01}}},
        GoldenCase{
            "adam_all",
            "adam",
            {{"rate", 0.01}, {"beta1", 0.5}, {"beta2", 0.9}, {"epsilon", 1e-3}, {"decay", 0.01}, {"clip", 0.5}}}),
    [](const auto& parameter) { return parameter.param.golden; });

TEST(Optimizers, EveryAlternativeChangesTheResult) {
  for (const auto& row : optimizers().rows()) {
    for (const OptionRow& option : row.info.options) {
      Settings base = option.alternative_with;
      Settings changed = base;
      changed.emplace_back(option.name, option.alternative);
      base.emplace_back(option.name, option.fallback);
      EXPECT_NE(five_steps(*make_optimizer(row.info.name, base), 0.25),
                five_steps(*make_optimizer(row.info.name, changed), 0.25))
          << row.info.name << "." << option.name;
    }
  }
}

TEST(Optimizers, ATensorOfRateZeroIsLeftAlone) {
  const Layout layout = golden_layout();
  const std::vector<float> before = golden_values(layout, 100);
  for (const Settings& settings : {Settings{{"decay", 0.1}}, Settings{{"decay", 0.1}, {"clip", 0.1}}}) {
    const std::vector<float> after = five_steps(*make_optimizer("sgd", settings));
    for (std::size_t i = layout.tensors()[3].offset; i < layout.size(); ++i) EXPECT_EQ(after[i], before[i]);
  }
}

TEST(Optimizers, RefusesValuesOutOfRangeAtTheirPlace) {
  const std::vector<std::pair<std::string, Settings>> wrong = {{"sgd", {{"rate", -0.1}}},
                                                               {"sgd", {{"momentum", 1.0}}},
                                                               {"sgd", {{"nesterov", true}}},
                                                               {"sgd", {{"decay", -1.0}}},
                                                               {"sgd", {{"clip", -1.0}}},
                                                               {"sgd", {{"final", 2.0}}},
                                                               {"sgd", {{"schedule", std::string("linear")}}},
                                                               {"adam", {{"beta2", 1.0}}},
                                                               {"adam", {{"epsilon", 0.0}}},
                                                               {"adam", {{"momentum", 0.9}}},
                                                               {"rmsprop", {}},
                                                               {"sgd", {{"milestones", std::vector<double>{1.5}}}},
                                                               {"sgd", {{"rate", std::nan("")}}}};
  for (const auto& [name, settings] : wrong) {
    try {
      make_optimizer(name, settings);
      ADD_FAILURE() << name << " " << (settings.empty() ? "" : settings.front().first);
    } catch (const ScenarioError& error) {
      EXPECT_EQ(std::string(error.what()).rfind("test.toml:", 0), 0U) << error.what();
    }
  }
}

TEST(Schedule, FollowsGlobalProgress) {
  Schedule schedule;
  schedule.rate = 2.0;
  EXPECT_EQ(schedule.rate_at(0.7), 2.0);
  schedule.kind = Schedule::Kind::kCosine;
  schedule.final_share = 0.1;
  EXPECT_DOUBLE_EQ(schedule.rate_at(0.0), 2.0);
  EXPECT_DOUBLE_EQ(schedule.rate_at(0.5), 1.1);
  EXPECT_DOUBLE_EQ(schedule.rate_at(1.0), 0.2);
  schedule.kind = Schedule::Kind::kStep;
  schedule.milestones = {0.5, 0.75};
  schedule.factor = 0.1;
  EXPECT_DOUBLE_EQ(schedule.rate_at(0.49), 2.0);
  EXPECT_DOUBLE_EQ(schedule.rate_at(0.5), 0.2);
  EXPECT_DOUBLE_EQ(schedule.rate_at(1.0), 0.02);
}

TEST(TensorRuns, NeighboursOfOneGroupAreMergedAndRateZeroLeftOut) {
  std::vector<std::pair<std::size_t, std::size_t>> runs;
  const Layout layout({tensor("skip", 2, 0.0F, true), tensor("a", 3, 1.0F, true), tensor("b", 4, 1.0F, true),
                       tensor("c", 5, 1.0F, false), tensor("end", 6, 0.0F, true)});
  for_each_run(layout, [&](const TensorRun& run) { runs.emplace_back(run.offset, run.size); });
  EXPECT_EQ(runs, (std::vector<std::pair<std::size_t, std::size_t>>{{2, 7}, {9, 5}}));
}

TEST(GradientNorm, IsOverTrainedTensorsOnly) {
  const Layout layout({tensor("a", 2, 1.0F, true), tensor("still", 1, 0.0F, true), tensor("b", 1, 0.5F, false)});
  const std::vector<float> gradients = {3, 0, 100, 4};
  EXPECT_DOUBLE_EQ(gradient_norm(layout, gradients), 5.0);
  EXPECT_EQ(clip_scale(layout, gradients, 0.0), 1.0F);
  EXPECT_EQ(clip_scale(layout, gradients, 6.0), 1.0F);
  EXPECT_FLOAT_EQ(clip_scale(layout, gradients, 2.5), 0.5F);
}

}  // namespace
}  // namespace anybit
