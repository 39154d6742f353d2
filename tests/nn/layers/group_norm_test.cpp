#include <gtest/gtest.h>

#include <algorithm>

#include "nn/gradient.h"
#include "tests/nn/hash_numbers.h"

namespace anybit {
namespace {

/// What a 3x3 convolution of 4 channels, a norm of 2 groups and a dense layer make of two images; filters and biases of
/// the first group are multiplied by `factor`.
std::vector<float> run_scaled(float factor) {
  Description description{.name = "normed", .input = {6, 6, 2}, .classes = 3, .nodes = {}};
  description.then("conv", Convolution{.channels = 4, .kernel = 3});
  description.then("norm", GroupNorm{.groups = 2, .epsilon = 1e-12F});
  description.then("dense", Dense{3});
  const auto network = std::make_shared<const Network>(description);
  Parameters parameters(std::make_shared<Layout>(network->tensors()));
  network->initialize(parameters.values, 3);
  const std::size_t weights_of_group = 2 * 2 * 3 * 3;
  for (float& w : parameters.tensor(0).first(weights_of_group)) w *= factor;
  for (float& b : parameters.tensor(1).first(2)) b *= factor;
  Workspace workspace(network, 2, Mode::kInference);
  const std::vector<float> pixels = hash_numbers(1, workspace.images().size());
  std::copy(pixels.begin(), pixels.end(), workspace.images().begin());
  const std::vector<std::uint8_t> labels = {0, 1};
  const std::span<const float> outputs = forward(workspace, parameters.values, {workspace.images(), labels});
  return {outputs.begin(), outputs.end()};
}

// specs A 4.9: the norm undoes any common factor of a group, epsilon aside.
TEST(GroupNorm, UndoesAFactorOnTheFiltersOfAGroup) {
  const std::vector<float> expected = run_scaled(1.0F);
  ASSERT_EQ(expected.size(), 6U);
  for (const float factor : {0.25F, 3.0F}) {
    const std::vector<float> scaled = run_scaled(factor);
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(scaled[i], expected[i], 1e-5F) << factor;
  }
  EXPECT_GT(std::abs(run_scaled(-1.0F)[0] - expected[0]), 1e-3F);  // a factor below 0 is another function
}

}  // namespace
}  // namespace anybit
