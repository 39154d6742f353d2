// Network::initialize against PyTorch's defaults: Linear and Conv2d draw weight and bias from U(-b, b) with
// b = 1 / sqrt(fan_in) (kaiming_uniform_ with a = sqrt(5)), GroupNorm starts at 1 and 0.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "nn/network.h"
#include "nn/parameters.h"

namespace anybit {
namespace {

/// A 3x3 convolution of 3 channels, its norm, a dense layer of 32 inputs stored [in][out], one of 20 stored [out][in].
Network small_network(bool convolution_bias = true) {
  Description description{.name = "small", .input = {4, 4, 3}, .classes = 5, .nodes = {}};
  description.then("conv", Convolution{.channels = 8, .kernel = 3, .bias = convolution_bias});
  description.then("norm", GroupNorm{2});
  description.then("wide", Dense{20});
  description.then("narrow", Dense{5});
  return Network(description);
}

/// One tensor's values under seeds 1 ... `seeds`, one after the other.
std::vector<float> draw_tensor(const Network& network, const std::string& name, std::uint64_t seeds) {
  const Layout layout(network.tensors());
  const TensorSpec& tensor = layout.tensors()[static_cast<std::size_t>(layout.index(name))];
  std::vector<float> values(layout.size()), all;
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    network.initialize(values, seed);
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(tensor.offset);
    all.insert(all.end(), begin, begin + static_cast<std::ptrdiff_t>(tensor.size));
  }
  return all;
}

double mean_power(const std::vector<float>& values, int power) {
  double sum = 0;
  for (const float v : values) sum += std::pow(static_cast<double>(v), power);
  return sum / static_cast<double>(values.size());
}

/// Inside the bound and near it at both ends; mean, variance and fourth moment of U(-b, b) within four standard errors.
void expect_uniform(const std::vector<float>& values, double bound) {
  const double n = static_cast<double>(values.size());
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_LE(*high, bound * 1.000001);
  EXPECT_GE(*low, -bound * 1.000001);
  EXPECT_GT(*high, 0.99 * bound);
  EXPECT_LT(*low, -0.99 * bound);
  EXPECT_NEAR(mean_power(values, 1) / bound, 0.0, 4 * std::sqrt(1.0 / 3 / n));
  EXPECT_NEAR(mean_power(values, 2) / std::pow(bound, 2), 1.0 / 3, 4 * std::sqrt(4.0 / 45 / n));
  EXPECT_NEAR(mean_power(values, 4) / std::pow(bound, 4), 1.0 / 5, 4 * std::sqrt(16.0 / 225 / n));
}

struct Expected {
  const char* tensor;
  double bound;
};

class Initialize : public testing::TestWithParam<Expected> {};

TEST_P(Initialize, IsUniformWithinOneOverTheRootOfTheFanIn) {
  const std::vector<float> values = draw_tensor(small_network(), GetParam().tensor, 500);
  ASSERT_GE(values.size(), 2500U);
  expect_uniform(values, GetParam().bound);
}

INSTANTIATE_TEST_SUITE_P(Tensors, Initialize,
                         testing::Values(Expected{"conv.weight", 0.19245009},    // 1 / sqrt(3 * 3 * 3)
                                         Expected{"conv.bias", 0.19245009},      //
                                         Expected{"wide.weight", 0.17677670},    // 1 / sqrt(2 * 2 * 8)
                                         Expected{"wide.bias", 0.17677670},      //
                                         Expected{"narrow.weight", 0.22360680},  // 1 / sqrt(20)
                                         Expected{"narrow.bias", 0.22360680}),
                         [](const auto& parameter) {
                           std::string name = parameter.param.tensor;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(Initialize, GivesNormsOnesAndZeros) {
  EXPECT_EQ(draw_tensor(small_network(), "norm.scale", 2), std::vector<float>(16, 1.0F));
  EXPECT_EQ(draw_tensor(small_network(), "norm.shift", 2), std::vector<float>(16, 0.0F));
}

TEST(Initialize, GivesRunningStatisticsMeanZeroAndVarianceOne) {
  Description description{.name = "joined", .input = {4, 4, 3}, .classes = 5, .nodes = {}};
  description.then("norm", BatchNorm{});
  description.then("dense", Dense{5});
  const Network network(description);
  EXPECT_EQ(draw_tensor(network, "norm.scale", 1), std::vector<float>(3, 1.0F));
  EXPECT_EQ(draw_tensor(network, "norm.shift", 1), std::vector<float>(3, 0.0F));
  EXPECT_EQ(draw_tensor(network, "norm.mean", 1), std::vector<float>(3, 0.0F));
  EXPECT_EQ(draw_tensor(network, "norm.square", 1), std::vector<float>(3, 1.0F));
}

TEST(Initialize, AFilterOfAGroupHasItsOwnFanIn) {
  Description description{.name = "grouped", .input = {4, 4, 4}, .classes = 5, .nodes = {}};
  description.then("conv", Convolution{.channels = 8, .kernel = 3, .groups = 4});
  description.then("dense", Dense{5});
  expect_uniform(draw_tensor(Network(description), "conv.weight", 500), 1.0 / 3);  // 1 / sqrt(1 * 3 * 3)
}

TEST(Initialize, ABiasFollowsItsOwnWeightWhereAnotherLayerHasNone) {
  expect_uniform(draw_tensor(small_network(false), "wide.bias", 500), 0.17677670);
}

TEST(Initialize, IsAFunctionOfTheSeed) {
  const Network network = small_network();
  std::vector<float> values(Layout(network.tensors()).size()), again(values.size()), other(values.size());
  network.initialize(values, 7);
  network.initialize(again, 7);
  network.initialize(other, 8);
  EXPECT_EQ(values, again);
  EXPECT_NE(values, other);
}

// No two tensors, and no two places of one, share a draw.
TEST(Initialize, NeverRepeatsItself) {
  std::vector<float> scaled;
  for (const auto& [name, bound] : {Expected{"conv.weight", 0.19245009}, Expected{"wide.weight", 0.17677670},
                                    Expected{"narrow.weight", 0.22360680}, Expected{"wide.bias", 0.17677670}})
    for (const float value : draw_tensor(small_network(), name, 1))
      scaled.push_back(std::round(static_cast<float>(value / bound) * 0x1p22F));
  std::sort(scaled.begin(), scaled.end());
  // 976 of 2^23 places: 0.06 pairs by chance.
  EXPECT_LE(scaled.end() - std::unique(scaled.begin(), scaled.end()), 1);
}

}  // namespace
}  // namespace anybit
