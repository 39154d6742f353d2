#include <gtest/gtest.h>

#include <cmath>

#include "quant/model_quantizer.h"
#include "quant/quantizers/learned_step.h"
#include "tests/quant/methods/trained.h"

namespace anybit {
namespace {

using Settings = std::vector<std::pair<std::string, OptionValue>>;

TEST(Methods, AreTheSixOfTheTable) {
  std::vector<std::string> names;
  for (const auto& row : methods().rows()) names.push_back(row.info.name);
  EXPECT_EQ(names, (std::vector<std::string>{"fedavg", "kure", "apqn", "qat", "mqat", "joint"}));
  EXPECT_THROW(methods().make(method_part("mqatt")), ScenarioError);
}

TEST(Methods, FedavgIsTheEmptyBundle) {
  const Method method = methods().make(method_part("fedavg"));
  EXPECT_FALSE(method.rewrite || method.schedule || method.quantizers || method.penalty || method.loss || method.rule);
}

TEST(Methods, TrainWithNothingButTheirNameSet) {
  for (const auto& row : methods().rows()) {
    const FloatBuffer values = train(method_part(row.info.name), 3);
    for (const float v : values) ASSERT_TRUE(std::isfinite(v)) << row.info.name;
    EXPECT_NE(values, train(method_part(row.info.name), 2)) << row.info.name;
  }
}

TEST(Methods, NeutralRowsEqualTheirBaseBitForBit) {
  for (const auto& row : methods().rows()) {
    const Neutral& neutral = row.info.neutral;
    if (neutral.base.empty()) {
      EXPECT_FALSE(neutral.reason.empty()) << row.info.name;
      continue;
    }
    EXPECT_EQ(train(method_part(row.info.name, neutral.options), 5),
              train(method_part(neutral.base, neutral.base_options), 5))
        << row.info.name;
  }
}

TEST(Methods, OneWidthIsQatBitForBit) {
  for (const std::int64_t bits : {2, 4, 8}) {
    const FloatBuffer qat = train(method_part("qat", {{"width", bits}}), 5);
    for (const char* sampling : {"step", "step_layer", "client_round", "round", "device"})
      EXPECT_EQ(train(method_part("mqat", {{"widths", widths({bits})}, {"sampling", sampling}}), 5), qat) << sampling;
    EXPECT_EQ(train(method_part("joint", {{"widths", widths({bits})}}), 5), qat);
  }
}

TEST(Methods, EveryAlternativeChangesTwoSteps) {
  for (const auto& row : methods().rows())
    for (const OptionRow& option : row.info.options) {
      Settings with = option.alternative_with;
      const FloatBuffer usual = train(method_part(row.info.name, with), 2);
      with.emplace_back(option.name, option.alternative);
      EXPECT_NE(train(method_part(row.info.name, with), 2), usual) << row.info.name << "." << option.name;
    }
}

TEST(Methods, RefuseWhatDoesNotFit) {
  const std::vector<std::pair<std::string, std::pair<std::string, OptionValue>>> wrong = {
      {"kure", {"lambda", -0.1}},
      {"kure", {"layers", "some"}},
      {"qat", {"width", std::int64_t{1}}},
      {"qat", {"rounding", "up"}},
      {"qat", {"granularity", "row"}},
      {"mqat", {"widths", widths({})}},
      {"mqat", {"sampling", "never"}},
      {"mqat", {"kure", -1.0}},
      {"apqn", {"range", "learned"}},
      {"apqn", {"rounding", "half_even"}},
      {"qat", {"activation_momentum", 1.0}},
      {"qat", {"activations", std::int64_t{0}}},
      {"joint", {"widths", widths({3, 3})}},
      {"qat", {"percentile", 0.0}},
      {"fedavg", {"widths", widths({3})}}};
  for (const auto& [name, option] : wrong)
    EXPECT_THROW(methods().make(method_part(name, {option})), ScenarioError) << name << "." << option.first;
}

// The mean of the gradients at 4 and 2 bits, each taken by itself.
TEST(Joint, AveragesOverItsWidths) {
  const auto gradient_of = [](const Part& part) {
    Played played(part);
    Workspace workspace(played.network, 8, Mode::kTraining);
    SmallBatch examples(workspace);
    PlayedGradient of_batch(played, workspace, examples.batch());
    std::vector<float> scratch(played.layout->size());
    played.method.schedule->choose(played.moment, played.network->slots(), played.chosen);
    Score score;
    if (played.method.rule)
      score = played.method.rule->step(of_batch, played.chosen, played.gradients, scratch);
    else
      score = of_batch.at(played.chosen, played.gradients);
    return std::pair(score, played.gradients);
  };
  const auto [score, both] = gradient_of(method_part("joint", {{"widths", widths({4, 2})}}));
  const auto [score4, at4] = gradient_of(method_part("qat", {{"width", std::int64_t{4}}}));
  const auto [score2, at2] = gradient_of(method_part("qat", {{"width", std::int64_t{2}}}));
  EXPECT_EQ(score.loss, (score4.loss + score2.loss) / 2);
  for (std::size_t i = 0; i < both.size(); ++i) EXPECT_EQ(both[i], 0.5F * (at4[i] + at2[i]));
}

// Through the network: G is the float network's gradient at the quantized weights; LSQ's rule does the rest.
TEST(LearnedSteps, AreTrainedThroughTheNetwork) {
  for (const bool per_channel : {false, true}) {
    Played played(method_part(
        "qat",
        {{"width", std::int64_t{2}}, {"range", "learned"}, {"granularity", per_channel ? "channel" : "tensor"}}));
    Workspace workspace(played.network, 8, Mode::kTraining);
    SmallBatch examples(workspace);
    PlayedGradient of_batch(played, workspace, examples.batch());
    for (const TensorSpec& t : played.layout->tensors())
      if (t.role == Role::kQuantizer)  // shorter steps, so that some weights are clipped
        for (std::size_t i = t.offset; i < t.offset + t.size; ++i) played.parameters.values[i] -= 0.7F;
    played.method.schedule->choose(played.moment, played.network->slots(), played.chosen);
    of_batch.at(played.chosen, played.gradients);
    GridPoint point;
    point.weights = 2;
    point.range = "learned";
    point.granularity = per_channel ? "channel" : "tensor";
    const Parameters quantized = quantize_weights(*played.network, played.parameters, point);
    std::vector<float> plain(played.layout->size());
    gradient(workspace, quantized.values, examples.batch(), {}, CrossEntropy(), plain);
    for (const int slot : {0, 2}) {
      const SlotSite& site = played.site(slot);
      const TensorSpec& weight = played.layout->tensors()[static_cast<std::size_t>(site.tensor)];
      const int step_index = played.layout->index(step_tensor_name(weight.name, 2));
      const TensorSpec& step = played.layout->tensors()[static_cast<std::size_t>(step_index)];
      std::vector<double> expected(step.size, 0.0);
      int clipped = 0;
      for (std::size_t i = 0; i < weight.size; ++i) {
        const std::size_t c = per_channel ? i / static_cast<std::size_t>(site.channel_stride) % step.size : 0;
        const double s = std::exp2(static_cast<double>(played.parameters.values[step.offset + c]));
        const double u = static_cast<double>(played.parameters.values[weight.offset + i]) / s;
        const double d = u < -1 ? -1 : u > 1 ? 1 : std::nearbyint(u) - u;
        const double n = static_cast<double>(weight.size / step.size);
        expected[c] += static_cast<double>(plain[weight.offset + i]) * d * s * std::log(2.0) / std::sqrt(n);
        const bool inside = std::fabs(u) <= 1;
        clipped += inside ? 0 : 1;
        EXPECT_NEAR(played.gradients[weight.offset + i], inside ? plain[weight.offset + i] : 0.0F, 1e-6F);
      }
      for (std::size_t c = 0; c < step.size; ++c)
        EXPECT_NEAR(static_cast<double>(played.gradients[step.offset + c]), expected[c], 1e-6);
      EXPECT_GT(clipped, 0);
    }
  }
}

TEST(Methods, LayoutIsTheNetworksThenTheMethods) {
  Played played(
      method_part("mqat", {{"widths", widths({4, 2})}, {"range", "learned"}, {"activations", std::int64_t{8}}}));
  std::vector<std::string> names;
  for (const TensorSpec& t : played.layout->tensors()) names.push_back(t.name);
  EXPECT_EQ(names, (std::vector<std::string>{"dense1.weight", "dense1.bias", "dense2.weight", "dense2.bias",
                                             "dense1.weight.step2", "dense1.weight.step4", "dense1.input.range",
                                             "dense2.weight.step2", "dense2.weight.step4", "dense2.input.range"}));
  double sum = 0;
  for (const float w : played.parameters.tensor(0)) sum += std::fabs(static_cast<double>(w));
  EXPECT_NEAR(static_cast<double>(played.parameters.tensor(5)[0]), std::log2(2 * sum / 120 / std::sqrt(7.0)), 1e-5);
}

}  // namespace
}  // namespace anybit
