#include "quant/model_quantizer.h"

#include <gtest/gtest.h>

#include <set>

#include "quant/grids/extremes.h"
#include "quant/quantizers/range_rule.h"
#include "tests/quant/slot_fixture.h"

namespace anybit {
namespace {

std::set<float> levels_of(std::span<const float> values) { return {values.begin(), values.end()}; }

TEST(QuantizeWeights, LeavesTheFloatModelAlone) {
  Played played(method_part("fedavg"));
  GridPoint point;
  point.first = 8;
  EXPECT_EQ(quantize_weights(*played.network, played.parameters, point).values, played.parameters.values);
}

TEST(QuantizeWeights, ReplacesWeightsOnly) {
  Played played(method_part("fedavg"));
  GridPoint point;
  point.weights = 2;
  const Parameters quantized = quantize_weights(*played.network, played.parameters, point);
  for (const int tensor : {0, 2}) {
    const float largest = largest_magnitude(std::as_const(played.parameters).tensor(tensor));
    EXPECT_EQ(levels_of(quantized.tensor(tensor)), (std::set<float>{-largest, 0.0F, largest}));
  }
  for (const int bias : {1, 3})
    EXPECT_TRUE(std::equal(quantized.tensor(bias).begin(), quantized.tensor(bias).end(),
                           std::as_const(played.parameters).tensor(bias).begin()));
}

TEST(QuantizeWeights, KnowsEndsChannelsAndRules) {
  Played played(method_part("fedavg"));
  GridPoint point;
  point.weights = 2;
  point.last = 8;
  const Parameters ends = quantize_weights(*played.network, played.parameters, point);
  EXPECT_LE(levels_of(ends.tensor(0)).size(), 3U);
  EXPECT_GT(levels_of(ends.tensor(2)).size(), 20U);
  point.granularity = "channel";
  const Parameters channels = quantize_weights(*played.network, played.parameters, point);
  EXPECT_GT(levels_of(channels.tensor(0)).size(), 20U);  // 20 channels with a step of their own
  point.granularity = "tensor";
  point.range = "mse";
  const Parameters fitted = quantize_weights(*played.network, played.parameters, point);
  EXPECT_LT(largest_magnitude(fitted.tensor(0)), largest_magnitude(ends.tensor(0)));
}

TEST(QuantizeWeights, EqualsWhatTrainingSees) {
  for (const char* range : {"minmax", "mse", "percentile", "learned"}) {
    Played played(method_part("qat", {{"width", std::int64_t{3}}, {"range", range}}));
    played.begin(0);
    GridPoint point;
    point.weights = 3;
    point.range = range;
    const Parameters quantized = quantize_weights(*played.network, played.parameters, point);
    const std::vector<float> seen = played.weight_of(2);
    EXPECT_EQ(seen, std::vector<float>(quantized.tensor(2).begin(), quantized.tensor(2).end())) << range;
  }
}

// Beyond the defaults: 90 % of the magnitudes, and the code -2^(b-1), which a clipping range reaches.
TEST(QuantizeWeights, EqualsWhatTrainingSeesWithTheMethodsFit) {
  const auto compare = [](const Part& part, const std::string& range, bool same_as_default) {
    Played played(part);
    for (float& v : played.parameters.values) v = v < 0.0F ? 2.0F * v : v;  // the least error then needs the code -2
    played.program->begin_client(played.parameters.values);
    played.begin(0);
    GridPoint point;
    point.weights = 2;
    point.range = range;
    for (const int slot : {0, 2}) {
      const int tensor = played.site(slot).tensor;
      point.fit = played.method.weight_fit;
      const Parameters quantized = quantize_weights(*played.network, played.parameters, point);
      const std::vector<float> seen = played.weight_of(slot);
      EXPECT_EQ(seen, std::vector<float>(quantized.tensor(tensor).begin(), quantized.tensor(tensor).end())) << range;
      point.fit = {};
      const Parameters usual = quantize_weights(*played.network, played.parameters, point);
      EXPECT_EQ(seen == std::vector<float>(usual.tensor(tensor).begin(), usual.tensor(tensor).end()), same_as_default)
          << range;
    }
  };
  const std::pair<std::string, OptionValue> two_bits = {"width", std::int64_t{2}};
  for (const char* range : {"mse", "percentile"})
    compare(method_part("qat", {two_bits, {"range", range}, {"full_range", true}, {"percentile", 60.0}}), range, false);
  compare(method_part("qat", {two_bits, {"range", "percentile"}, {"percentile", 60.0}}), "percentile", false);
  compare(method_part("qat", {two_bits, {"range", "minmax"}, {"full_range", true}}), "minmax", true);
}

TEST(QuantizeWeights, SaysBeforehandWhereStepsAreMissing) {
  const auto mismatch = [](const std::vector<std::pair<std::string, OptionValue>>& options, const GridPoint& point) {
    Played played(method_part("mqat", options));
    const std::string reason = learned_mismatch(*played.layout, *played.network, point);
    if (reason.empty())
      EXPECT_NO_THROW(quantize_weights(*played.network, played.parameters, point));
    else
      EXPECT_THROW(quantize_weights(*played.network, played.parameters, point), std::invalid_argument);
    return reason;
  };
  const std::vector<std::pair<std::string, OptionValue>> learned = {{"widths", widths({4, 2})}, {"range", "learned"}};
  GridPoint point;
  point.range = "learned";
  point.weights = 4;
  EXPECT_EQ(mismatch(learned, point), "");
  point.weights = 32;
  EXPECT_EQ(mismatch(learned, point), "");
  point.weights = 3;
  EXPECT_EQ(mismatch(learned, point),
            "range rule 'learned': the model holds no learned step of dense1.weight at 3 bits; train with range = "
            "\"learned\" and this width");
  EXPECT_NE(mismatch({{"widths", widths({3})}}, point), "");  // trained with min-max
  point.weights = 4;
  point.last = 8;
  EXPECT_NE(mismatch(learned, point).find("dense2.weight at 8 bits"), std::string::npos);
  point.last = 2;
  EXPECT_EQ(mismatch(learned, point), "");
  point.granularity = "channel";
  EXPECT_NE(mismatch(learned, point).find("was learned per tensor"), std::string::npos);
  point.range = "mse";
  EXPECT_EQ(mismatch(learned, point), "");
}

TEST(QuantizeWeights, RefusesWhatTheModelLacks) {
  Played played(method_part("qat", {{"width", std::int64_t{4}}, {"range", "learned"}}));
  GridPoint point;
  point.range = "learned";
  point.weights = 3;
  EXPECT_THROW(quantize_weights(*played.network, played.parameters, point), std::invalid_argument);
  point.weights = 4;
  EXPECT_NO_THROW(quantize_weights(*played.network, played.parameters, point));
  point.granularity = "channel";
  EXPECT_THROW(quantize_weights(*played.network, played.parameters, point), std::invalid_argument);
  for (const int bits : {0, 1, 17, 31, 33}) {
    GridPoint bad;
    bad.weights = bits;
    EXPECT_THROW(quantize_weights(*played.network, played.parameters, bad), std::invalid_argument);
  }
  GridPoint unknown;
  unknown.range = "widest";
  EXPECT_THROW(quantize_weights(*played.network, played.parameters, unknown), ScenarioError);
}

TEST(Activations, AreObservedAndQuantized) {
  const auto network = two_layers();
  RangeObserver observer(*network);
  SlotPass pass;
  const std::vector<float> first = {-1.0F, 0.5F, 0.2F, 0.0F, 0.1F, 0.3F},
                           second = {0.0F, 2.0F, 0.6F, 1.4F, 9.0F, -5.0F};
  std::vector<float> after(6);
  EXPECT_FALSE(observer.forward(network->slots()[1], first, after, pass));
  EXPECT_FALSE(observer.forward(network->slots()[1], std::span(second).first(4), after, pass));
  ASSERT_EQ(observer.ranges().size(), 2U);
  EXPECT_EQ(observer.ranges()[0].low, -1.0F);
  EXPECT_EQ(observer.ranges()[0].high, 2.0F);
  GridPoint point;
  point.activations = 2;
  const auto quantizer = make_activation_quantizer(*network, observer.ranges(), point);
  ASSERT_TRUE(quantizer->forward(network->slots()[1], second, after, pass));
  EXPECT_EQ(after, (std::vector<float>{0, 2, 1, 1, 2, -1}));
  EXPECT_FALSE(quantizer->forward(network->slots()[0], second, after, pass));
  EXPECT_FALSE(quantizer->forward(network->slots()[3], second, after, pass));  // never saw anything
  point.activations = kFloatWidth;
  point.first = 8;
  const auto untouched = make_activation_quantizer(*network, observer.ranges(), point);
  EXPECT_FALSE(untouched->forward(network->slots()[1], second, after, pass));
}

TEST(Activations, ComeFromTrainingWhereItKeptThem) {
  Played plain(method_part("qat"));
  EXPECT_TRUE(plain.method.quantizers->activation_ranges(*plain.network, plain.parameters).empty());
  EXPECT_FALSE(plain.method.has_activation_ranges);
  Played played(method_part("qat", {{"activations", std::int64_t{8}}}));
  EXPECT_TRUE(played.method.has_activation_ranges);
  const auto range = played.parameters.tensor(played.layout->index("dense2.input.range"));
  range[0] = -0.5F;
  range[1] = 3.0F;
  const std::vector<Range> ranges = played.method.quantizers->activation_ranges(*played.network, played.parameters);
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[1].low, -0.5F);
  EXPECT_EQ(ranges[1].high, 3.0F);
}

TEST(RangeRules, AreListed) {
  ASSERT_EQ(range_rules().size(), 5U);
  EXPECT_EQ(range_rules()[0].name, "minmax");
  EXPECT_EQ(range_rules()[3].name, "learned");
  EXPECT_EQ(range_rules()[4].name, kTrainedRange);
  EXPECT_EQ(range_rule_names().size(), 4U) << "no method offers its own quantizers as a rule for itself";
}

}  // namespace
}  // namespace anybit
