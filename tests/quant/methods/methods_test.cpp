#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "quant/model_quantizer.h"
#include "quant/quantizers/learned_step.h"
#include "quant/quantizers/range_rule.h"
#include "tests/quant/methods/trained.h"

namespace anybit {
namespace {

using Settings = std::vector<std::pair<std::string, OptionValue>>;

TEST(Methods, AreThoseOfTheTable) {
  std::vector<std::string> names;
  for (const auto& row : methods().rows()) names.push_back(row.info.name);
  EXPECT_EQ(names, (std::vector<std::string>{"fedavg", "kure", "apqn", "qat", "mqat", "joint", "lsq", "lsqplus"}));
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
      {"kure", {"lambda", std::numeric_limits<double>::infinity()}},
      {"kure", {"target", std::numeric_limits<double>::infinity()}},
      {"kure", {"target", std::numeric_limits<double>::quiet_NaN()}},
      {"kure", {"layers", "some"}},
      {"qat", {"width", std::int64_t{1}}},
      {"qat", {"rounding", "up"}},
      {"qat", {"granularity", "row"}},
      {"mqat", {"widths", widths({})}},
      {"mqat", {"sampling", "never"}},
      {"mqat", {"kure", -1.0}},
      {"mqat", {"kure", std::numeric_limits<double>::infinity()}},
      {"mqat", {"kure", std::numeric_limits<double>::quiet_NaN()}},
      {"qat", {"percentile", std::numeric_limits<double>::quiet_NaN()}},
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

TEST(Methods, HelpNamesTheRangesThatTheyAccept) {
  for (const auto& row : methods().rows())
    for (const OptionRow& option : row.info.options) {
      if (option.name != "range") continue;
      for (const std::string& range : range_rule_names()) {
        bool accepted = true;
        try {
          methods().make(method_part(row.info.name, {{"range", range}}));
        } catch (const ScenarioError& refusal) {
          accepted = false;
          EXPECT_NE(std::string(refusal.what()).find("known: minmax, mse, percentile"), std::string::npos)
              << refusal.what();
        }
        EXPECT_EQ(option.help.find(range) != std::string::npos, accepted) << row.info.name << " " << range;
      }
    }
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
      score = of_batch.at(played.chosen, played.gradients, true);
    return std::pair(score, played.gradients);
  };
  const auto [score, both] = gradient_of(method_part("joint", {{"widths", widths({4, 2})}}));
  const auto [score4, at4] = gradient_of(method_part("qat", {{"width", std::int64_t{4}}}));
  const auto [score2, at2] = gradient_of(method_part("qat", {{"width", std::int64_t{2}}}));
  EXPECT_EQ(score.loss, (score4.loss + score2.loss) / 2);
  for (std::size_t i = 0; i < both.size(); ++i) EXPECT_EQ(both[i], 0.5F * (at4[i] + at2[i]));
}

// One step moves the running ranges once, however many widths it passes: 0.9 * old + 0.1 * batch, from the first pass.
TEST(Joint, MovesActivationRangesOncePerStep) {
  const auto range_after = [](const Part& part) {
    Played played(part);
    Workspace workspace(played.network, 8, Mode::kTraining);
    SmallBatch examples(workspace);
    PlayedGradient of_batch(played, workspace, examples.batch());
    const auto range = played.parameters.tensor(played.layout->index("dense1.input.range"));
    range[0] = -10.0F;
    range[1] = 10.0F;
    std::vector<float> scratch(played.layout->size());
    played.method.schedule->choose(played.moment, played.network->slots(), played.chosen);
    played.method.rule->step(of_batch, played.chosen, played.gradients, scratch);
    const float largest = *std::max_element(examples.batch().images.begin(), examples.batch().images.end());
    EXPECT_NEAR(range[1], 9.0F + 0.1F * largest, 1e-5F);
    const auto deeper = played.parameters.tensor(played.layout->index("dense2.input.range"));
    return std::vector<float>{range[0], range[1], deeper[0], deeper[1]};
  };
  const std::pair<std::string, OptionValue> activations = {"activations", std::int64_t{8}};
  const std::vector<float> once = range_after(method_part("joint", {{"widths", widths({8})}, activations}));
  EXPECT_EQ(range_after(method_part("joint", {{"widths", widths({8, 3, 2})}, activations})), once);
}

TEST(Kure, RefusesANetworkWithoutTheLayersItIsFor) {
  const Method inner = methods().make(method_part("kure", {{"layers", "inner"}}));
  ASSERT_TRUE(inner.refuse);
  EXPECT_EQ(inner.refuse(*two_layers(), {}),
            "layers = \"inner\" leaves nothing of a network with 2 weighted layers; take layers = \"all\"");
  Description description = two_layers()->description();
  description.then("dense3", Dense{3});
  EXPECT_EQ(inner.refuse(Network(description), {}), "");
  EXPECT_FALSE(methods().make(method_part("kure")).refuse);
  EXPECT_FALSE(methods().make(method_part("kure", {{"layers", "inner"}, {"lambda", 0.0}})).refuse);
}

TEST(LearnedSteps, RefuseDevicesOfOtherWidths) {
  const auto refusal = [](const Settings& more, std::vector<int> device) {
    Settings settings = {{"widths", widths({4, 2})}, {"range", "learned"}, {"sampling", "device"}};
    settings.insert(settings.end(), more.begin(), more.end());
    return methods().make(method_part("mqat", settings)).refuse(*two_layers(), device);
  };
  EXPECT_EQ(refusal({}, {}), "");
  EXPECT_EQ(refusal({}, {32, 4, 2}), "");
  EXPECT_EQ(refusal({}, {4, 8}),
            "sampling = \"device\" trains at the fleet's width 8, for which range = \"learned\" has no step; add it "
            "to `widths`, or choose another range");
  EXPECT_EQ(refusal({{"first", std::int64_t{6}}, {"last", std::int64_t{6}}}, {8}), "");  // all layers at 6 bits
  EXPECT_NE(refusal({{"first", std::int64_t{6}}}, {8}), "");
  EXPECT_FALSE(methods().make(method_part("mqat", {{"widths", widths({4})}, {"range", "learned"}})).refuse);
  EXPECT_FALSE(methods().make(method_part("mqat", {{"widths", widths({4})}, {"sampling", "device"}})).refuse);
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
    of_batch.at(played.chosen, played.gradients, true);
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
        expected[c] += static_cast<double>(plain[weight.offset + i]) * d / (s * std::log(2.0) * std::sqrt(n));
        const bool inside = std::fabs(u) <= 1;
        clipped += inside ? 0 : 1;
        EXPECT_NEAR(played.gradients[weight.offset + i], inside ? plain[weight.offset + i] : 0.0F, 1e-6F);
      }
      for (std::size_t c = 0; c < step.size; ++c)
        EXPECT_NEAR(static_cast<double>(played.gradients[step.offset + c]), expected[c], 1e-5);
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
