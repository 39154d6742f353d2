#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "nn/gradient.h"
#include "tests/nn/hash_numbers.h"
#include "tests/nn/layers/tap.h"

namespace anybit {
namespace {

/// Dropout as the last layer, behind a norm of one number per channel that outputs its shift and has its gradient: what
/// comes out is what dropout does to the shifts, and the shifts' gradients are what it hands back, summed over
/// examples.
class Dropping {
 public:
  static constexpr std::size_t kNumbers = 300;

  explicit Dropping(float rate, int capacity = 8) {
    Description description{"dropping", {1, 1, kNumbers}, kNumbers, {}};
    description.then("norm", GroupNorm{.groups = static_cast<int>(kNumbers)});
    description.then("dropout", Dropout{rate});
    network_ = std::make_shared<const Network>(description);
    parameters_ = Parameters(std::make_shared<Layout>(network_->tensors()));
    for (std::size_t c = 0; c < kNumbers; ++c) shift()[c] = 2.0F + hash_number(4, c);
    workspace_ = std::make_unique<Workspace>(network_, capacity, Mode::kTraining);
    gradients_.resize(parameters_.values.size());
  }

  std::span<float> shift() { return parameters_.tensor(1); }
  std::span<const float> shift_gradient() const { return std::span<const float>(gradients_).subspan(kNumbers); }

  std::vector<float> train(int live, const DrawName& draw, int first = 0) {
    const std::vector<std::uint8_t> labels(static_cast<std::size_t>(live), 0);
    const Tap tap;
    gradient(*workspace_, parameters_.values, {workspace_->images(), labels, first}, {.draw = draw}, tap, gradients_);
    return tap.seen;
  }

  std::vector<float> infer(int live) {
    const std::vector<std::uint8_t> labels(static_cast<std::size_t>(live), 0);
    const std::span<const float> outputs =
        forward(*workspace_, parameters_.values, {workspace_->images(), labels}, {.draw = {.seed = 1}});
    return {outputs.begin(), outputs.end()};
  }

 private:
  std::shared_ptr<const Network> network_;
  Parameters parameters_;
  std::unique_ptr<Workspace> workspace_;
  FloatBuffer gradients_;
};

class DropoutRates : public testing::TestWithParam<float> {};

TEST_P(DropoutRates, ZeroesThatShareAndScalesTheOthers) {
  Dropping dropping(GetParam());
  const float scale = 1.0F / (1.0F - GetParam());
  double dropped = 0, all = 0;
  for (std::uint32_t step = 0; step < 40; ++step) {
    const std::vector<float> outputs = dropping.train(8, {.seed = 3, .step = step});
    for (std::size_t i = 0; i < outputs.size(); ++i, ++all) {
      if (outputs[i] == 0.0F) {
        ++dropped;
      } else {
        EXPECT_NEAR(outputs[i], scale * dropping.shift()[i % Dropping::kNumbers], 3e-5F * outputs[i]) << i;
      }
    }
  }
  const double rate = static_cast<double>(GetParam());
  EXPECT_NEAR(dropped / all, rate, 4 * std::sqrt(rate * (1 - rate) / all));
}

TEST_P(DropoutRates, TheGradientPassesWhereTheNumberDid) {
  Dropping dropping(GetParam());
  const std::vector<float> outputs = dropping.train(5, {.seed = 4});
  for (std::size_t c = 0; c < Dropping::kNumbers; ++c) {
    float expected = 0;
    for (std::size_t row = 0; row < 5; ++row) expected += outputs[row * Dropping::kNumbers + c] / dropping.shift()[c];
    EXPECT_NEAR(dropping.shift_gradient()[c], expected, 1e-5F) << c;
  }
}

INSTANTIATE_TEST_SUITE_P(Rates, DropoutRates, testing::Values(0.0F, 0.25F, 0.5F, 0.75F, 0.1F, 0.6875F, 0.3333F),
                         [](const auto& parameter) { return "rate" + std::to_string(parameter.index); });

TEST(Dropout, DoesNothingOutsideOfTraining) {
  Dropping dropping(0.5F);
  dropping.train(8, {.seed = 1});
  const std::vector<float> outputs = dropping.infer(3);
  ASSERT_EQ(outputs.size(), 3 * Dropping::kNumbers);
  for (std::size_t i = 0; i < outputs.size(); ++i) EXPECT_EQ(outputs[i], dropping.shift()[i % Dropping::kNumbers]);
}

TEST(Dropout, IsAFunctionOfTheDraw) {
  const DrawName name = {.seed = 7, .purpose = Purpose::kWidths, .round = 2, .client = 3, .step = 4};
  Dropping dropping(0.5F), other(0.5F);
  const std::vector<float> expected = dropping.train(8, name);
  other.train(8, {.seed = 8});
  EXPECT_EQ(other.train(8, name), expected);
  DrawName purpose = name;
  purpose.purpose = Purpose::kNoise;  // whatever the pass's own purpose is
  EXPECT_EQ(other.train(8, purpose), expected);
  for (const auto& change :
       std::vector<std::function<void(DrawName&)>>{[](DrawName& n) { ++n.seed; }, [](DrawName& n) { ++n.round; },
                                                   [](DrawName& n) { ++n.client; }, [](DrawName& n) { ++n.step; }}) {
    DrawName changed = name;
    change(changed);
    EXPECT_NE(other.train(8, changed), expected);
  }
}

// Neither the workspace's size, nor fewer examples, nor a cut batch changes what an example loses.
TEST(Dropout, AnExampleLosesTheSameWhereverItIsPlayed) {
  const DrawName name = {.seed = 7, .step = 4};
  const std::vector<float> whole = Dropping(0.25F, 16).train(11, name);
  const auto rows = [&](std::size_t from, std::size_t to) {
    const auto at = [&](std::size_t row) { return whole.begin() + static_cast<long>(row * Dropping::kNumbers); };
    return std::vector<float>(at(from), at(to));
  };
  Dropping small(0.25F, 8);
  EXPECT_EQ(small.train(8, name), rows(0, 8));
  EXPECT_EQ(small.train(3, name, 8), rows(8, 11));
  EXPECT_NE(rows(0, 3), rows(8, 11));
}

// Two layers of one network, and two examples, share no mask: about half of all places differ.
TEST(Dropout, LayersDropForThemselves) {
  constexpr int kNumbers = 400;
  const auto dropped = [](bool second) {
    Description description{"two", {1, 1, kNumbers}, kNumbers, {}};
    description.then("norm", GroupNorm{.groups = kNumbers});
    description.then("first", Dropout{second ? 0.0F : 0.5F});
    description.then("second", Dropout{second ? 0.5F : 0.0F});
    const auto network = std::make_shared<const Network>(description);
    Parameters parameters(std::make_shared<Layout>(network->tensors()));
    std::fill(parameters.values.begin(), parameters.values.end(), 1.0F);
    Workspace workspace(network, 1, Mode::kTraining);
    FloatBuffer gradients(parameters.values.size());
    const std::vector<std::uint8_t> labels = {0};
    const Tap tap;
    gradient(workspace, parameters.values, {workspace.images(), labels}, {.draw = {.seed = 2}}, tap, gradients);
    return tap.seen;
  };
  const std::vector<float> one = dropped(false), two = dropped(true);
  int apart = 0;
  for (std::size_t i = 0; i < one.size(); ++i) apart += one[i] != two[i] ? 1 : 0;
  EXPECT_NEAR(apart, kNumbers / 2, 40);  // four standard errors
}

}  // namespace
}  // namespace anybit
