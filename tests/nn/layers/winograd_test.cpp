#include "nn/winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

#include "nn/gradient.h"
#include "tests/nn/hash_numbers.h"

namespace anybit {
namespace {

constexpr int kExamples = 10;
constexpr int kChannels = 32;
constexpr Shape kImage = {16, 16, 3};

Convolution convolution(int channels, int kernel = 3, int stride = 1, int groups = 1) {
  return {.channels = channels, .kernel = kernel, .stride = stride, .padding = kernel / 2, .groups = groups};
}

bool taken(const Convolution& c, int inputs, int side = 16) {
  return takes_winograd(c, {side * c.stride, side * c.stride, inputs}, {side, side, c.channels});
}

TEST(Winograd, TakesWhatItHalves) {
  EXPECT_TRUE(taken(convolution(32), 32));
  EXPECT_TRUE(taken(convolution(64), 96, 7));
  EXPECT_FALSE(taken(convolution(48), 32));
  EXPECT_FALSE(taken(convolution(32), 16));
  EXPECT_FALSE(taken(convolution(32, 5), 32));
  EXPECT_FALSE(taken(convolution(32, 1), 32));
  EXPECT_FALSE(taken(convolution(32, 3, 2), 32));
  EXPECT_FALSE(taken(convolution(32, 3, 1, 2), 32));
  for (const int side : {1, 2, 5}) EXPECT_FALSE(taken(convolution(32), 32, side)) << side;
}

TEST(Winograd, SharesOfTheMultiplications) {
  EXPECT_DOUBLE_EQ(winograd_share({16, 16, 1}), 0.25);
  EXPECT_DOUBLE_EQ(winograd_share({7, 7, 1}), 144.0 / 441.0);
  EXPECT_DOUBLE_EQ(winograd_share({1, 1, 1}), 4.0);
}

/// A fixed linear function of the outputs, so that a batch's gradient is the sum of its examples'.
class ChannelLoss final : public Loss {
 public:
  Score apply(std::span<const float> outputs, std::span<const std::uint8_t>, int,
              std::span<float> gradient) const override {
    for (std::size_t i = 0; i < outputs.size(); ++i)
      gradient[i] = hash_number(77, i % static_cast<std::size_t>(kChannels));
    return {};
  }
};

/// A batch whose tiles are more than two blocks of the layer, against its examples one by one.
TEST(Winograd, BlocksLeaveNoTrace) {
  Description description{"two", kImage, kChannels, {}};
  description.then("a", convolution(kChannels, 1));
  description.then("b", convolution(kChannels));
  description.then("d", Dense{kChannels});
  const auto network = std::make_shared<const Network>(description);
  FloatBuffer parameters(Layout(network->tensors()).size());
  network->initialize(parameters, 5);
  FloatBuffer images(kExamples * kImage.size());
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = hash_number(90, i);
  const std::vector<std::uint8_t> labels(kExamples, 0);

  Workspace at_once(network, kExamples, Mode::kTraining);
  Workspace one_by_one(network, 1, Mode::kTraining);
  FloatBuffer together(parameters.size()), single(parameters.size());
  std::vector<double> sum(parameters.size());
  gradient(at_once, parameters, {images, labels}, {}, ChannelLoss(), together);
  const std::span<const float> seen = forward(at_once, parameters, {images, labels});
  const std::vector<float> outputs(seen.begin(), seen.end());
  for (std::size_t n = 0; n < kExamples; ++n) {
    const std::span<float> image = std::span<float>(images).subspan(n * kImage.size(), kImage.size());
    const Batch batch{image, std::span(labels).first(1)};
    const std::span<const float> output = forward(one_by_one, parameters, batch);
    for (std::size_t c = 0; c < kChannels; ++c) EXPECT_EQ(output[c], outputs[n * kChannels + c]);
    gradient(one_by_one, parameters, batch, {}, ChannelLoss(), single);
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += static_cast<double>(single[i]);
  }
  for (const TensorSpec& tensor : network->tensors()) {
    double largest = 0, worst = 0;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
      largest = std::max(largest, std::abs(sum[i]));
      worst = std::max(worst, std::abs(sum[i] - static_cast<double>(together[i])));
    }
    EXPECT_GT(largest, 0.1) << tensor.name;
    EXPECT_LT(worst, 1e-5 * largest) << tensor.name;
  }
}

}  // namespace
}  // namespace anybit
