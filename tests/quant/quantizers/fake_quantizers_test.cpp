#include "quant/quantizers/fake_quantizers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "quant/grids/extremes.h"
#include "tests/quant/slot_fixture.h"

namespace anybit {
namespace {

constexpr int kFirstWeight = 0, kFirstInput = 1, kLastWeight = 2;

std::vector<float> by_reference(const ChannelGrids& grids, int stride, std::span<const float> before) {
  std::vector<float> after(before.size());
  quantize_reference(grids, stride, Rounding::kHalfEven, before, {}, after);
  return after;
}

TEST(FakeWeights, AreTheWeightsOnTheirMinMaxGrid) {
  Played played(method_part("qat", {{"width", std::int64_t{3}}}));
  played.begin(0);
  const auto weights = std::as_const(played.parameters).tensor(0);
  ChannelGrids grids;
  grids.set(0, symmetric_grid_for(largest_magnitude(weights), 3));
  EXPECT_EQ(played.weight_of(kFirstWeight), by_reference(grids, 1, weights));
  std::vector<float> gradient(weights.size(), 1.0F);
  SlotPass pass = played.pass();
  played.program->backward(played.site(0), weights, weights, gradient, pass);
  EXPECT_EQ(gradient, std::vector<float>(weights.size(), 1.0F));  // nothing clips
}

TEST(FakeWeights, FollowMovingWeightsWithMinMaxAndStayFittedWithMse) {
  for (const bool fitted : {false, true}) {
    Played played(method_part("qat", {{"width", std::int64_t{3}}, {"range", fitted ? "mse" : "minmax"}}));
    played.begin(0);
    const std::vector<float> before = played.weight_of(kFirstWeight);
    for (float& w : played.parameters.tensor(0)) w *= 2.0F;
    played.begin(1);
    const std::vector<float> after = played.weight_of(kFirstWeight);
    const float ratio = largest_magnitude(after) / largest_magnitude(before);
    EXPECT_EQ(ratio, fitted ? 1.0F : 2.0F);
    played.program->begin_client(played.parameters.values);
    played.begin(0);
    EXPECT_EQ(largest_magnitude(played.weight_of(kFirstWeight)) / largest_magnitude(before), 2.0F);
  }
}

TEST(FakeWeights, FittedOnceARoundKeepACopyOfTheReceivedOnes) {
  const auto bytes = [](const char* range) {
    return Played(method_part("qat", {{"width", std::int64_t{3}}, {"range", range}})).program->bytes();
  };
  const std::size_t parameters = Played(method_part("qat")).layout->size();
  EXPECT_GE(bytes("mse"), bytes("minmax") + parameters * sizeof(float));
  EXPECT_LT(bytes("mse"), bytes("minmax") + parameters * sizeof(float) + 60000) << "a histogram, and grids by width";
}

TEST(FakeWeights, ClippedOnesGetNoGradient) {
  Played played(method_part("qat", {{"width", std::int64_t{2}}, {"range", "mse"}}));
  played.begin(0);
  const std::vector<float> after = played.weight_of(kFirstWeight);
  const auto weights = std::as_const(played.parameters).tensor(0);
  std::vector<float> gradient(weights.size(), 1.0F);
  SlotPass pass = played.pass();
  played.program->backward(played.site(0), weights, after, gradient, pass);
  const float clip = largest_magnitude(after);
  ASSERT_LT(clip, largest_magnitude(weights));
  for (std::size_t i = 0; i < weights.size(); ++i) EXPECT_EQ(gradient[i], std::fabs(weights[i]) <= clip ? 1.0F : 0.0F);
}

// What only_clips() says is what backward() does: a step that keeps the same gradients is the same step.
TEST(FakeWeights, SayWhichGradientsTheyKeep) {
  struct Kept {
    const char* range;
    const char* granularity;
    bool only_clips;
  };
  Played noisy(method_part("apqn", {{"widths", widths({3})}}));
  noisy.begin(0);
  (void)noisy.weight_of(kFirstWeight);
  PlainStep untouched = {.rate = 0.5F};
  EXPECT_TRUE(noisy.program->only_clips(noisy.site(kFirstWeight), untouched));
  EXPECT_FALSE(untouched.clipped);
  for (const Kept& c : {Kept{"minmax", "tensor", true}, Kept{"minmax", "channel", true}, Kept{"mse", "tensor", true},
                        Kept{"mse", "channel", false}, Kept{"learned", "tensor", false}}) {
    Played played(method_part("qat", {{"width", std::int64_t{2}}, {"range", c.range}, {"granularity", c.granularity}}));
    played.begin(0);
    const std::vector<float> after = played.weight_of(kFirstWeight);
    PlainStep step = {.rate = 0.5F};
    ASSERT_EQ(played.program->only_clips(played.site(kFirstWeight), step), c.only_clips) << c.range;
    if (!c.only_clips) continue;
    const auto weights = std::as_const(played.parameters).tensor(0);
    const std::vector<float> ones(weights.size(), 1.0F);
    std::vector<float> by_interval(weights.begin(), weights.end()), by_gradient = by_interval, gradient = ones;
    kernels().plain_step(by_interval.data(), ones.data(), ones.size(), step);
    SlotPass pass = played.pass();
    played.program->backward(played.site(kFirstWeight), weights, after, gradient, pass);
    kernels().plain_step(by_gradient.data(), gradient.data(), gradient.size(), {.rate = 0.5F});
    EXPECT_EQ(by_interval, by_gradient) << c.range;
    EXPECT_EQ(std::ranges::count(gradient, 0.0F) > 0, std::string(c.range) == "mse");
  }
}

TEST(FakeWeights, HaveAGridPerChannelOnRequest) {
  Played played(method_part("qat", {{"width", std::int64_t{4}}, {"granularity", "channel"}}));
  played.begin(0);
  for (const int slot : {kFirstWeight, kLastWeight}) {
    const SlotSite& site = played.site(slot);
    const auto weights = std::as_const(played.parameters).tensor(site.tensor);
    std::vector<float> magnitudes(static_cast<std::size_t>(site.channels));
    channel_magnitudes(weights, site.channel_stride, magnitudes);
    ChannelGrids grids(site.channels);
    for (int c = 0; c < site.channels; ++c)
      grids.set(c, symmetric_grid_for(magnitudes[static_cast<std::size_t>(c)], 4));
    EXPECT_EQ(played.weight_of(slot), by_reference(grids, site.channel_stride, weights));
  }
}

TEST(FakeWeights, StayFloatAtThirtyTwoBitsAndWhenAllZero) {
  Played played(method_part("qat", {{"width", std::int64_t{32}}, {"first", std::int64_t{8}}}));
  played.begin(0);
  SlotPass pass = played.pass();
  std::vector<float> after(played.site(0).size);
  EXPECT_FALSE(played.program->forward(played.site(0), std::as_const(played.parameters).tensor(0), after, pass));
  Played zero(method_part("qat"));
  zero.begin(0);
  const std::vector<float> zeros(after.size(), 0.0F);
  EXPECT_FALSE(zero.program->forward(zero.site(0), zeros, after, pass));
}

// specs A 0.3 and 3.1: mean w, variance s^2 / 12, fourth moment s^4 / 80, never further than s / 2, fresh in every
// step, gradient untouched.
TEST(PseudoNoise, HasItsMoments) {
  Played played(method_part("apqn", {{"widths", widths({3})}}));
  const auto weights = std::as_const(played.parameters).tensor(0);
  const double s = static_cast<double>(largest_magnitude(weights)) / 3.0;
  double sum = 0, squares = 0, fourths = 0;
  constexpr std::uint32_t kSteps = 200;
  std::vector<float> first;
  for (std::uint32_t step = 0; step < kSteps; ++step) {
    played.begin(step);
    const std::vector<float> noisy = played.weight_of(kFirstWeight);
    if (step == 0) first = noisy;
    if (step == 1) {
      EXPECT_NE(first, noisy);
    }
    for (std::size_t i = 0; i < noisy.size(); ++i) {
      const double d = static_cast<double>(noisy[i]) - static_cast<double>(weights[i]);
      EXPECT_LE(std::fabs(d), s / 2 * 1.00001);
      sum += d;
      squares += d * d;
      fourths += d * d * d * d;
    }
  }
  const double n = kSteps * static_cast<double>(weights.size());
  EXPECT_NEAR(sum / n, 0.0, 4 * s / std::sqrt(12 * n));
  EXPECT_NEAR(squares / n, s * s / 12, 4 * s * s / std::sqrt(180 * n));
  EXPECT_NEAR(fourths / n, s * s * s * s / 80, 4 * s * s * s * s / std::sqrt(3600 * n));
  played.begin(0);
  EXPECT_EQ(played.weight_of(kFirstWeight), first);  // the draw is named by its step
  std::vector<float> gradient(first.size(), 1.0F);
  SlotPass pass = played.pass();
  played.program->backward(played.site(0), weights, first, gradient, pass);
  EXPECT_EQ(gradient, std::vector<float>(first.size(), 1.0F));
}

// specs A 1.8, test 7: a step of 0, as of weights that are all zero, is fedavg.
TEST(PseudoNoise, OfAStepOfZeroIsNone) {
  Played played(method_part("apqn", {{"widths", widths({3})}}));
  for (float& w : played.parameters.tensor(0)) w = 0.0F;
  played.begin(0);
  EXPECT_EQ(played.weight_of(kFirstWeight), std::vector<float>(120, 0.0F));
}

TEST(FakeActivations, KeepAMovingRangeAndUseIt) {
  Played played(method_part("qat", {{"width", std::int64_t{32}}, {"activations", std::int64_t{2}}}));
  const int tensor = played.layout->index("dense1.input.range");
  const TensorSpec& spec = played.layout->tensors()[static_cast<std::size_t>(tensor)];
  EXPECT_EQ(spec.role, Role::kStatistic);
  EXPECT_EQ(spec.merge, Merge::kMean);
  EXPECT_EQ(spec.group.rate, 0.0F);
  played.begin(0);
  SlotPass pass = played.pass();
  const std::vector<float> first = {-1.0F, 0.0F, 2.0F, 0.6F, 1.4F, -0.2F};
  std::vector<float> after(6);
  ASSERT_TRUE(played.program->forward(played.site(kFirstInput), first, after, pass));
  EXPECT_EQ(after, (std::vector<float>{-1, 0, 2, 1, 1, 0}));  // range [-1, 2]: step 1, zero point 1
  EXPECT_EQ(played.parameters.tensor(tensor)[0], -1.0F);
  const std::vector<float> second = {0.0F, 12.0F, 1.0F, 1.0F, 1.0F, 1.0F};
  ASSERT_TRUE(played.program->forward(played.site(kFirstInput), second, after, pass));
  EXPECT_NEAR(played.parameters.tensor(tensor)[0], -0.9F, 1e-6F);
  EXPECT_NEAR(played.parameters.tensor(tensor)[1], 3.0F, 1e-6F);  // 0.9 * 2 + 0.1 * 12
  std::vector<float> gradient(6, 1.0F);
  played.program->backward(played.site(kFirstInput), second, after, gradient, pass);
  EXPECT_EQ(gradient, (std::vector<float>{1, 0, 1, 1, 1, 1}));  // 12 is clipped
  const std::vector<float> stored(played.parameters.tensor(tensor).begin(), played.parameters.tensor(tensor).end());
  pass.statistics = {};
  played.program->forward(played.site(kFirstInput), first, after, pass);
  EXPECT_EQ(stored,
            std::vector<float>(played.parameters.tensor(tensor).begin(), played.parameters.tensor(tensor).end()));
}

TEST(LearnedSteps, AreTensorsThatTheirOwnWidthTrains) {
  Played played(method_part("mqat", {{"widths", widths({4, 2, 32})}, {"range", "learned"}, {"last", std::int64_t{8}}}));
  const auto index = [&](const char* name) { return static_cast<std::size_t>(played.layout->index(name)); };
  EXPECT_EQ(played.layout->tensors().size(), 4U + 2U + 1U);  // 2 and 4 bits of the first layer, 8 of the last
  EXPECT_THROW(played.layout->index("dense2.weight.step4"), std::out_of_range);
  std::vector<std::uint8_t> at(4, kFloatWidth);
  std::vector<std::uint32_t> steps(7, 0);
  at[0] = 4;
  at[2] = 8;
  played.program->begin_step(at, played.moment);
  played.program->count_trained(steps);
  at[0] = 2;
  played.moment.draw.step = 1;
  played.program->begin_step(at, played.moment);
  at[0] = kFloatWidth;  // a second pass of the same step
  played.program->begin_step(at, played.moment);
  played.program->count_trained(steps);
  EXPECT_EQ(steps[index("dense1.weight.step4")], 1U);
  EXPECT_EQ(steps[index("dense1.weight.step2")], 1U);
  EXPECT_EQ(steps[index("dense2.weight.step8")], 2U);
  EXPECT_EQ(steps[0], 0U);
  at[0] = 3;
  EXPECT_THROW(played.program->begin_step(at, played.moment), std::invalid_argument);
}

TEST(LearnedSteps, GetTheirGradient) {
  Played played(method_part("qat", {{"width", std::int64_t{2}}, {"range", "learned"}}));
  const auto tensor = static_cast<std::size_t>(played.layout->index("dense1.weight.step2"));
  const TensorSpec& step = played.layout->tensors()[tensor];
  played.begin(0);
  const std::vector<float> after = played.weight_of(kFirstWeight);
  const float s = std::exp2(played.parameters.values[step.offset]);
  EXPECT_NEAR(largest_magnitude(after), s, 1e-6F * s);
  std::vector<float> gradient(after.size(), 1.0F);
  SlotPass pass = played.pass();
  played.program->backward(played.site(0), std::as_const(played.parameters).tensor(0), after, gradient, pass);
  EXPECT_NE(played.gradients[step.offset], 0.0F);
}

// Passes of one step at two widths: the same uniform numbers would show as the same fractions of the step.
TEST(Draws, OfPassesAtSeveralWidthsDiffer) {
  Played played(method_part("apqn", {{"widths", widths({3, 4})}}));
  const auto noise_at = [&](std::uint8_t width) {
    played.chosen.assign(4, width);
    played.chosen[1] = played.chosen[3] = kFloatWidth;
    played.program->begin_step(played.chosen, played.moment);
    const auto weights = std::as_const(played.parameters).tensor(0);
    const float step = largest_magnitude(weights) / static_cast<float>(largest_code(width));
    std::vector<float> noise = played.weight_of(kFirstWeight);
    for (std::size_t i = 0; i < noise.size(); ++i) noise[i] = (noise[i] - weights[i]) / step;
    return noise;
  };
  const std::vector<float> at3 = noise_at(3), at4 = noise_at(4);
  float furthest = 0;
  for (std::size_t i = 0; i < at3.size(); ++i) furthest = std::max(furthest, std::fabs(at3[i] - at4[i]));
  EXPECT_GT(furthest, 0.3F);
  EXPECT_EQ(noise_at(3), at3);
}

}  // namespace
}  // namespace anybit
