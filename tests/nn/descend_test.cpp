// descend() against gradient() and the optimiser's step, bit for bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "nn/gradient.h"
#include "nn/models/model.h"
#include "nn/optimizers/optimizer.h"
#include "nn/random.h"

namespace anybit {
namespace {

constexpr int kBatch = 6;
constexpr int kClasses = 10;
constexpr int kSteps = 3;

/// Halves every weight, as a quantizer would replace it; the gradient is halved on its way back.
class Halve final : public SlotFunction {
 public:
  bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass&) override {
    if (site.kind != SlotKind::kWeight || site.first) return false;
    std::ranges::transform(before, after.begin(), [](float w) { return 0.5F * w; });
    return true;
  }
  void backward(const SlotSite&, std::span<const float>, std::span<const float>, std::span<float> gradient,
                SlotPass&) override {
    for (float& g : gradient) g *= 0.5F;
  }
};

/// Rounds to quarters and hands back the gradient of small weights only, which it says that it does.
class Clip final : public SlotFunction {
 public:
  bool forward(const SlotSite& site, std::span<const float> before, std::span<float> after, SlotPass&) override {
    if (site.kind != SlotKind::kWeight) return false;
    std::ranges::transform(before, after.begin(), [](float w) { return std::round(4.0F * w) / 4.0F; });
    return true;
  }
  void backward(const SlotSite&, std::span<const float> before, std::span<const float>, std::span<float> gradient,
                SlotPass&) override {
    for (std::size_t i = 0; i < gradient.size(); ++i)
      if ((before[i] - kOffset) * kInverse < kLow || (before[i] - kOffset) * kInverse > kHigh) gradient[i] = 0.0F;
  }
  bool only_clips(const SlotSite&, PlainStep& step) const override {
    step.clipped = true;
    step.interval = {kOffset, kInverse, kLow, kHigh};
    return true;
  }

 private:
  static constexpr float kOffset = 0.01F, kInverse = 20.0F, kLow = -0.6F, kHigh = 0.4F;
};

/// A model, a layout with unequal optimiser groups, and a batch.
struct Fixture {
  std::shared_ptr<const Network> network;
  std::shared_ptr<const Layout> layout;
  Workspace workspace;
  FloatBuffer first;

  explicit Fixture(const Description& description)
      : network(std::make_shared<const Network>(description)), workspace(network, kBatch, Mode::kTraining) {
    std::vector<TensorSpec> tensors = network->tensors();
    for (std::size_t t = 0; t < tensors.size(); ++t) tensors[t].group = {t % 3 == 2 ? 0.3F : 1.0F, t % 2 == 0};
    layout = std::make_shared<const Layout>(std::move(tensors));
    first.resize(layout->size());
    network->initialize(first, 5);
    Stream({.seed = 3, .purpose = Purpose::kInitialize}).fill_uniform(workspace.images(), -1.0F, 1.0F);
    for (int i = 0; i < kBatch; ++i) workspace.labels()[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(i);
  }

  Batch batch() { return {workspace.images(), workspace.labels()}; }
};

Fixture fixture_of(const std::string& model, Shape image) {
  Part part;
  part.name = model;
  return Fixture(models().make(part, image, kClasses));
}

std::unique_ptr<Optimizer> plain_sgd() {
  Part part;
  part.name = "sgd";
  part.options.set("rate", 0.1);
  part.options.set("decay", 0.01);
  return optimizers().make(part);
}

void expect_equal_bits(Fixture& fixture, SlotFunction* function) {
  const std::unique_ptr<Optimizer> sgd = plain_sgd();
  const CrossEntropy loss;
  FloatBuffer stepwise = fixture.first, fused = fixture.first, gradients(stepwise.size());
  for (int step = 0; step < kSteps; ++step) {
    PassSettings settings{.function = function};
    settings.draw.step = static_cast<std::uint32_t>(step);
    const Score one = gradient(fixture.workspace, stepwise, fixture.batch(), settings, loss, gradients);
    sgd->step(*fixture.layout, stepwise, gradients, {}, 0.0, step);
    const Score other = descend(fixture.workspace, *fixture.layout, fused, fixture.batch(), settings, loss,
                                sgd->plain_step(0.0).value(), gradients);
    EXPECT_EQ(one.loss, other.loss);
    for (const TensorSpec& tensor : fixture.layout->tensors())
      for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i)
        ASSERT_EQ(stepwise[i], fused[i]) << "step " << step << ", " << tensor.name << "[" << i - tensor.offset << "]";
  }
  EXPECT_FALSE(std::ranges::equal(fused, fixture.first));
}

class Descend : public testing::TestWithParam<const char*> {};

TEST_P(Descend, GivesTheBitsOfGradientAndStep) {
  const std::string model = GetParam();
  Fixture fixture = fixture_of(model, model == "cnn" ? Shape{16, 16, 3} : Shape{20, 20, 1});
  expect_equal_bits(fixture, nullptr);
  Halve halve;
  expect_equal_bits(fixture, &halve);
  Clip clip;
  expect_equal_bits(fixture, &clip);
}

INSTANTIATE_TEST_SUITE_P(Models, Descend, testing::Values("logistic", "mlp", "lenet", "cnn", "resnet8"),
                         [](const auto& of) { return std::string(of.param); });

TEST(PlainStep, IsOfferedOnlyWhereTheStepIsPlain) {
  for (const auto& [option, value] : std::vector<std::pair<std::string, double>>{{"momentum", 0.9}, {"clip", 1.0}}) {
    Part part;
    part.name = "sgd";
    part.options.set(option, value);
    EXPECT_FALSE(optimizers().make(part)->plain_step(0.0).has_value()) << option;
  }
  Part adam;
  adam.name = "adam";
  EXPECT_FALSE(optimizers().make(adam)->plain_step(0.0).has_value());
}

}  // namespace
}  // namespace anybit
