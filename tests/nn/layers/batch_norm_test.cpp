#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/gradient.h"
#include "tests/nn/layers/tap.h"

namespace anybit {
namespace {

/// Two channels of 1 x 2 pixels straight into a norm, whose outputs are the logits.
class Normed {
 public:
  explicit Normed(float momentum = 0.1F, int capacity = 4) {
    Description description{"normed", {1, 2, 2}, 4, {}};
    description.then("norm", BatchNorm{.momentum = momentum, .epsilon = 0.0F});
    network_ = std::make_shared<const Network>(description);
    parameters_ = Parameters(std::make_shared<Layout>(network_->tensors()));
    network_->initialize(parameters_.values, 1);
    workspace_ = std::make_unique<Workspace>(network_, capacity, Mode::kTraining);
  }

  std::span<float> tensor(const std::string& name) {
    return parameters_.tensor(parameters_.layout->index("norm." + name));
  }

  /// Images are NHWC: first and second channel of the first pixel, then of the second.
  std::vector<float> train(const std::vector<float>& images, bool update = true) {
    const Batch batch = fill(images);
    FloatBuffer gradients(parameters_.values.size());
    PassSettings settings;
    if (update) settings.statistics = parameters_.values;
    const Tap tap;
    gradient(*workspace_, parameters_.values, batch, settings, tap, gradients);
    return tap.seen;
  }

  std::vector<float> infer(const std::vector<float>& images) {
    const std::span<const float> outputs = forward(*workspace_, parameters_.values, fill(images));
    return {outputs.begin(), outputs.end()};
  }

 private:
  Batch fill(const std::vector<float>& images) {
    std::copy(images.begin(), images.end(), workspace_->images().begin());
    labels_.assign(images.size() / 4, 0);
    return {workspace_->images(), labels_};
  }

  std::shared_ptr<const Network> network_;
  Parameters parameters_;
  std::unique_ptr<Workspace> workspace_;
  std::vector<std::uint8_t> labels_;
};

std::vector<float> values(std::span<const float> of) { return {of.begin(), of.end()}; }

// Channel 1 holds 1, 2, 3, 6: mean 3, mean of squares 12.5. Channel 2 holds 0, 4, 0, 4: mean 2, mean of squares 8.
const std::vector<float> kTwoImages = {1, 0, 2, 4, 3, 0, 6, 4};

TEST(BatchNorm, KeepsMeanAndMeanOfSquaresOfTheLiveExamples) {
  Normed norm(0.5F, 4);  // half of the workspace's rows are padding
  norm.tensor("mean")[1] = 1;
  norm.train(kTwoImages);
  EXPECT_EQ(values(norm.tensor("mean")), (std::vector<float>{1.5F, 1.5F}));
  EXPECT_EQ(values(norm.tensor("square")), (std::vector<float>{6.75F, 4.5F}));
}

TEST(BatchNorm, LeavesItsStatisticsWhereNobodyAsksForTheUpdate) {
  Normed norm;
  norm.train(kTwoImages, false);
  norm.infer(kTwoImages);
  EXPECT_EQ(values(norm.tensor("mean")), (std::vector<float>{0, 0}));
  EXPECT_EQ(values(norm.tensor("square")), (std::vector<float>{1, 1}));
}

TEST(BatchNorm, InfersByItsStatisticsWhateverElseIsInTheBatch) {
  Normed norm(1.0F);
  norm.train(kTwoImages);
  // Variances 12.5 - 9 = 3.5 and 8 - 4 = 4.
  const float deviation = std::sqrt(3.5F);
  const std::vector<float> alone = norm.infer({3, 2, 5, 6});
  ASSERT_EQ(alone.size(), 4U);
  EXPECT_NEAR(alone[0], 0.0F, 1e-6F);
  EXPECT_NEAR(alone[1], 0.0F, 1e-6F);
  EXPECT_NEAR(alone[2], 2 / deviation, 1e-6F);
  EXPECT_NEAR(alone[3], 2.0F, 1e-6F);
  const std::vector<float> beside = norm.infer({3, 2, 5, 6, 90, 80, 70, 60});
  EXPECT_EQ(std::vector<float>(beside.begin(), beside.begin() + 4), alone);
}

// Averaged or quantized statistics may give a mean of squares below the mean's square.
TEST(BatchNorm, TakesAVarianceBelowZeroForZero) {
  Description description{"normed", {1, 1, 1}, 1, {}};
  description.then("norm", BatchNorm{.epsilon = 0.25F});
  const auto network = std::make_shared<const Network>(description);
  Parameters parameters(std::make_shared<Layout>(network->tensors()));
  const std::vector<float> set = {1, 0, 2, 3.5F};  // scale, shift, mean, square
  std::copy(set.begin(), set.end(), parameters.values.begin());
  Workspace workspace(network, 1, Mode::kInference);
  workspace.images()[0] = 3;
  const std::vector<std::uint8_t> labels = {0};
  EXPECT_EQ(forward(workspace, parameters.values, {workspace.images(), labels})[0], 2.0F);  // (3 - 2) / sqrt(1 / 4)
}

// Clients' means of both are the statistics of all their examples together; a mean of variances would be 4.
TEST(BatchNorm, TheMeanOverClientsIsThatOfTheirPooledExamples) {
  Normed first(1.0F), second(1.0F), pooled(1.0F);
  const std::vector<float> low = {-1, 0, 3, 0}, high = {9, 0, 13, 0};
  first.train(low);
  second.train(high);
  pooled.train({-1, 0, 3, 0, 9, 0, 13, 0});
  EXPECT_EQ((first.tensor("mean")[0] + second.tensor("mean")[0]) / 2, pooled.tensor("mean")[0]);
  EXPECT_EQ((first.tensor("square")[0] + second.tensor("square")[0]) / 2, pooled.tensor("square")[0]);
  EXPECT_EQ(pooled.tensor("square")[0] - std::pow(pooled.tensor("mean")[0], 2.0F), 29.0F);
}

// A last batch of one example with one pixel has no variance: the output is the shift, and no gradient flows back.
TEST(BatchNorm, StandsASingleNumber) {
  Description description{"single", {1, 1, 3}, 3, {}};
  description.then("dense", Dense{3});
  description.then("norm", BatchNorm{});
  const auto network = std::make_shared<const Network>(description);
  Parameters parameters(std::make_shared<Layout>(network->tensors()));
  network->initialize(parameters.values, 1);
  Workspace workspace(network, 4, Mode::kTraining);
  for (float& x : workspace.images()) x = 5;
  const std::vector<std::uint8_t> labels = {1};
  FloatBuffer gradients(parameters.values.size(), 9.0F);
  const Score score =
      gradient(workspace, parameters.values, {workspace.images(), labels}, {}, CrossEntropy(), gradients);
  EXPECT_NEAR(score.loss, std::log(3.0), 1e-6);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_NEAR(gradients[i], 0.0F, 1e-4F) << i;  // of the dense layer
}

// A large mean with a small deviation: sums of squares about zero would have lost it.
TEST(BatchNorm, NormalisesASmallDeviationAboutALargeMean) {
  Normed norm;
  const std::vector<float> outputs = norm.train({10000, 0, 10001, 1, 10002, 2, 10003, 3});
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(outputs[2 * i], (static_cast<float>(i) - 1.5F) / std::sqrt(1.25F), 2e-3F) << i;
    EXPECT_NEAR(outputs[2 * i + 1], (static_cast<float>(i) - 1.5F) / std::sqrt(1.25F), 1e-6F) << i;
  }
}

}  // namespace
}  // namespace anybit
