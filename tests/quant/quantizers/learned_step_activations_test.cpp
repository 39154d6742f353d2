#include "quant/quantizers/learned_step_activations.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "nn/random.h"
#include "quant/quantizers/learned_step.h"
#include "tests/quant/slot_fixture.h"

namespace anybit {
namespace {

constexpr int kImage = 1;   // slot of what the first layer reads
constexpr int kHidden = 3;  // and the last layer

/// A client of lsq or lsqplus, and passes of the slot between the layers.
struct Activations : Played {
  explicit Activations(const std::string& name, std::int64_t bits = 3,
                       std::shared_ptr<const Network> its_network = two_layers())
      : Played(method_part(name, {{"activations", bits}}), std::move(its_network)), width(static_cast<int>(bits)) {
    begin(1);
  }

  std::span<float> tensor(const std::string& name) { return parameters.tensor(layout->index(name)); }
  float& step() { return tensor(activation_step_name(site(kHidden), width))[0]; }
  float& offset() { return tensor(activation_offset_name(site(kHidden), width))[0]; }
  double gradient_of(const std::string& name) {
    return static_cast<double>(gradients[layout->tensors()[static_cast<std::size_t>(layout->index(name))].offset]);
  }

  std::vector<float> forward(const std::vector<float>& x, bool statistics = true) {
    SlotPass its = pass();
    if (!statistics) its.statistics = {};
    std::vector<float> y = x;
    took = program->forward(site(kHidden), x, y, its);
    return y;
  }
  std::vector<float> backward(const std::vector<float>& x, const std::vector<float>& y, std::vector<float> gradient) {
    std::fill(gradients.begin(), gradients.end(), 0.0F);
    SlotPass its = pass();
    program->backward(site(kHidden), x, y, gradient, its);
    return gradient;
  }

  int width;
  bool took = false;
};

// specs A 4.1: codes -4 ... 3; a tenth of the golden's upstream gradient.
TEST(LearnedStepActivations, OfEitherSignMatchTheGoldenNumbers) {
  Activations lsq("lsq", 3, linear_layers());
  EXPECT_FALSE(lsq.site(kHidden).non_negative);
  lsq.step() = std::log2(0.1F);
  const std::vector<float> x = {-0.9F, -0.26F, 0.02F, 0.13F, 0.31F, 0.5F};
  const std::vector<float> y = lsq.forward(x);
  const std::vector<float> expected = {-0.4F, -0.3F, 0.0F, 0.1F, 0.3F, 0.3F};
  for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(y[i], expected[i], 1e-6F);
  EXPECT_EQ(lsq.backward(x, y, std::vector<float>(6, 0.1F)), (std::vector<float>{0, 0.1F, 0.1F, 0.1F, 0, 0}));
  EXPECT_NEAR(lsq.gradient_of("dense2.input.step3"), 0.02592724864 / (0.1 * std::numbers::ln2), 1e-5);
}

TEST(LearnedStepActivations, OfAReluHaveAllCodesAboveZero) {
  Activations lsq("lsq");
  EXPECT_TRUE(lsq.site(kHidden).non_negative);
  lsq.step() = -1.0F;
  std::vector<float> x(20, 0.0F);
  x[1] = 0.3F;
  x[2] = 3.4F;
  x[3] = 4.0F;
  const std::vector<float> y = lsq.forward(x);
  EXPECT_EQ(y[1], 0.5F);
  EXPECT_EQ(y[2], 3.5F);
  EXPECT_EQ(y[3], 3.5F);
  const std::vector<float> gradient = lsq.backward(x, y, std::vector<float>(20, 0.5F));
  EXPECT_EQ(gradient[3], 0.0F);
  const double sum = (1 - 0.6) + (7 - 6.8) + 7;  // round(u) - u, and the largest code
  EXPECT_NEAR(lsq.gradient_of("dense2.input.step3"), 0.5 * sum / std::sqrt(20.0 * 7.0) / (0.5 * std::numbers::ln2),
              1e-6);
}

// 2 E|x| / sqrt(Qp) of standard normal numbers and their ReLU.
TEST(LearnedStepActivations, BeginAsForNormalNumbers) {
  Activations relu("lsq"), either("lsq", 4, linear_layers());
  EXPECT_NEAR(relu.step(), std::log2(2 * 0.3989423 / std::sqrt(7.0)), 1e-5);
  EXPECT_NEAR(either.step(), std::log2(2 * 0.7978846 / std::sqrt(7.0)), 1e-5);
  for (const auto& network : {two_layers(), linear_layers()}) {
    Activations lsq("lsq", 3, network), plus("lsqplus", 3, network);
    Stream stream({5, Purpose::kTest});
    std::vector<float> x(lsq.site(kHidden).size);
    for (float& value : x) value = static_cast<float>(stream.normal());
    if (lsq.site(kHidden).non_negative)
      for (float& value : x) value = std::fabs(value);
    EXPECT_EQ(lsq.forward(x), plus.forward(x)) << "until an offset is learned";
    EXPECT_TRUE(lsq.took);
  }
}

TEST(LearnedStepActivations, OfTheImageHaveAMovingRange) {
  for (const char* method : {"lsq", "lsqplus"}) {
    Activations made(method);
    std::vector<float> x = {-0.5F, 0.0F, 0.5F, 1.0F, 2.0F, 3.0F};
    SlotPass its = made.pass();
    EXPECT_TRUE(made.program->forward(made.site(kImage), std::vector<float>(x), x, its));
    EXPECT_EQ(made.tensor("dense1.input.range")[0], -0.5F);
    EXPECT_EQ(made.tensor("dense1.input.range")[1], 3.0F);
  }
}

// specs A 4.2. The zero point is whole, so both shift by whole steps.
TEST(LearnedStepActivations, AnOffsetOfZeroIsLsqAndAnOffsetShifts) {
  Activations lsq("lsq"), plus("lsqplus");
  lsq.step() = plus.step() = -2.0F;
  Stream stream({3, Purpose::kTest});
  std::vector<float> x(20), shifted(20);
  for (float& value : x) value = std::fabs(static_cast<float>(stream.normal()));
  const std::vector<float> y = plus.forward(x);
  EXPECT_EQ(lsq.forward(x), y);
  for (std::size_t i = 0; i < 20; ++i) shifted[i] = x[i] - 0.75F;
  plus.offset() = -0.75F;
  const std::vector<float> moved = plus.forward(shifted);
  for (std::size_t i = 0; i < 20; ++i) EXPECT_NEAR(moved[i], y[i] - 0.75F, 1e-6F);
}

TEST(LearnedStepActivations, TheOffsetsGradientCountsWhatIsClipped) {
  Activations plus("lsqplus", 3, linear_layers());
  plus.step() = 0.0F;
  plus.offset() = -2.0F;  // codes 0 ... 7 stand for -2 ... 5
  const std::vector<float> x = {-3.0F, -2.0F, 0.4F, 5.0F, 6.0F, 70.0F};
  const std::vector<float> y = plus.forward(x);
  EXPECT_EQ(y, (std::vector<float>{-2, -2, 0, 5, 5, 5}));
  plus.backward(x, y, std::vector<float>(6, 1.0F));
  EXPECT_NEAR(plus.gradient_of("dense2.input.offset3"), 3.0 / std::sqrt(6.0 * 7.0), 1e-6);
}

TEST(LearnedStepActivations, AnEvaluatorsRangeIsThatOfTheTrainedGrid) {
  Activations plus("lsqplus");
  plus.step() = 0.0F;
  plus.offset() = -2.0F;
  const std::vector<Range> ranges = plus.method.quantizers->activation_ranges(*plus.network, plus.parameters);
  ASSERT_EQ(ranges.size(), 2U);
  EXPECT_EQ(ranges[1].low, -2.0F);
  EXPECT_EQ(ranges[1].high, 5.0F);
}

// specs A 4.2: what is clipped below is beta, whatever the step; above it is beta + 7 s.
TEST(LearnedStepActivations, AnOffsetsStepMovesTheUpperEdgeOnly) {
  Activations plus("lsqplus", 3, linear_layers());
  plus.step() = 0.0F;
  plus.offset() = -2.0F;
  const std::vector<float> x = {-3.0F, -9.0F, 0.0F, 1.0F, 6.0F, -2.0F};
  const std::vector<float> y = plus.forward(x);
  plus.backward(x, y, {0.1F, 0.1F, 0.1F, 0.1F, 0.5F, 0.1F});
  EXPECT_NEAR(plus.gradient_of("dense2.input.step3"), 0.5 * 7 / std::sqrt(6.0 * 7.0) / std::log(2.0), 1e-6);
}

TEST(LearnedStepActivations, AnOffsetDoesNotGoOnWithoutATrace) {
  Activations plus("lsqplus");
  plus.step() = 0.0F;
  plus.offset() = 0.0F;
  const std::vector<float> x(20, 9.0F);  // all clipped above
  const auto gradient = [&](float of_all) {
    const std::vector<float> y = plus.forward(x);
    plus.backward(x, y, std::vector<float>(20, of_all));
    return plus.gradient_of("dense2.input.offset3");
  };
  EXPECT_LT(gradient(-0.1F), 0) << "a larger one is at hand, and learned";
  EXPECT_GT(gradient(0.1F), 0);
  plus.offset() = 0.25F;  // the zero point is 0 already
  EXPECT_EQ(gradient(-0.1F), 0) << "an even larger one is none";
  EXPECT_GT(gradient(0.1F), 0) << "but the way back is open";
  plus.offset() = -7.25F;
  EXPECT_EQ(gradient(0.1F), 0);
  EXPECT_LT(gradient(-0.1F), 0);
}

// With rounding and clipping decisions held fixed, y is s (u + residual) inside and s times a limit outside.
TEST(LearnedStepActivations, TheStepsGradientIsTheDifferenceQuotientOfItsSurrogate) {
  Activations lsq("lsq", 4);
  lsq.step() = -2.5F;
  Stream stream({4, Purpose::kTest});
  std::vector<float> x(20), gradient(20);
  for (float& value : x) value = std::fmax(0.0F, static_cast<float>(stream.normal()));
  for (float& value : gradient) value = static_cast<float>(0.01 * stream.normal());
  const std::vector<float> y = lsq.forward(x);
  const double s = static_cast<double>(step_from_log2(-2.5F));
  double expected = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    const double u0 = static_cast<double>(x[i]) / s;
    const double residual = std::nearbyint(u0) - u0;
    const auto surrogate = [&](double step) {
      const double u = static_cast<double>(x[i]) / step;
      return u > 15 ? step * 15 : step * (u + residual);
    };
    constexpr double kStep = 1e-6;
    expected += static_cast<double>(gradient[i]) * (surrogate(s + kStep) - surrogate(s - kStep)) / (2 * kStep);
  }
  lsq.backward(x, y, gradient);
  EXPECT_NEAR(lsq.gradient_of("dense2.input.step4"), expected / std::sqrt(20.0 * 15.0) / (s * std::numbers::ln2), 1e-5);
}

}  // namespace
}  // namespace anybit
