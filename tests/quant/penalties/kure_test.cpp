#include "quant/penalties/kure.h"

#include <gtest/gtest.h>

#include <cmath>

#include "nn/random.h"
#include "tests/quant/normal_quantiles.h"
#include "tests/quant/slot_fixture.h"

namespace anybit {
namespace {

Kure::Settings with_lambda(double lambda) { return {lambda, 1.8, false, false}; }

// specs A 2: dL/dw = 2 (K - target) dK/dw.
TEST(Kure, MatchesTheGoldenNumbers) {
  const std::vector<float> w = {-1.0F, 0.0F, 0.5F, 2.0F, -0.3F};
  EXPECT_NEAR(moments_of(w).fourth, 2.3610855653, 1e-7);  // -0.3 is not a float
  const std::vector<double> dk = {0.2925102766, -0.0936877180, -1.0037953834, 0.4503912242, 0.3545816006};
  std::vector<float> gradient(5, 0.0F);
  const double value = Kure(with_lambda(1)).add_layer(w, 1.0, gradient);
  const double excess = 2.3610855653 - 1.8;
  EXPECT_NEAR(value, excess * excess, 1e-6);
  double shift = 0, scale = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_NEAR(static_cast<double>(gradient[i]), 2 * excess * dk[i], 1e-6);
    shift += static_cast<double>(gradient[i]);
    scale += static_cast<double>(gradient[i]) * static_cast<double>(w[i]);
  }
  EXPECT_NEAR(shift, 0.0, 1e-6);
  EXPECT_NEAR(scale, 0.0, 1e-6);
}

// specs A 0.3: 0.6 (3 N^2 - 7) / (N^2 - 1).
TEST(Kure, KnowsTheKurtosisOfEvenlySpacedLevels) {
  const std::pair<int, double> rows[] = {{2, 1.0}, {3, 1.5}, {4, 1.64}, {8, 1.76190}, {16, 1.79059}, {256, 1.79996}};
  for (const auto& [n, kurtosis] : rows) {
    std::vector<float> levels;
    for (int i = 0; i < n; ++i) levels.push_back(static_cast<float>(i));
    const double square = static_cast<double>(n) * n;
    EXPECT_NEAR(moments_of(levels).fourth, 0.6 * (3 * square - 7) / (square - 1), 1e-9);
    EXPECT_NEAR(moments_of(levels).fourth, kurtosis, 5e-6);
  }
}

// specs A 2: 1 at the least, and only for two points of equal weight; 3 of a normal, 6 of a Laplace distribution.
TEST(Kure, KnowsTheKurtosisOfKnownDistributions) {
  EXPECT_NEAR(moments_of(std::vector<float>{-2, 2, 2, -2}).fourth, 1.0, 1e-12);
  EXPECT_GT(moments_of(std::vector<float>{-2, 2, 2, 2}).fourth, 1.1);
  EXPECT_GT(moments_of(std::vector<float>{-2, 2, 2, -2, 0.1F}).fourth, 1.1);
  EXPECT_NEAR(moments_of(normal_quantiles(1000000)).fourth, 3.0, 1e-3);
  std::vector<float> laplace;
  constexpr int kEach = 500000;
  for (int i = 0; i < kEach; ++i) {
    laplace.push_back(static_cast<float>(std::log((i + 0.5) / kEach)));
    laplace.push_back(-laplace.back());
  }
  EXPECT_NEAR(moments_of(laplace).fourth, 6.0, 0.03);
}

TEST(Kure, GradientIsTheDifferenceQuotient) {
  Stream stream({1, Purpose::kTest});
  std::vector<float> w(53);
  for (float& x : w) x = static_cast<float>(stream.normal() * (1.0 + stream.uniform()));
  for (const bool sample_std : {false, true}) {
    const Kure kure({1.0, 1.8, sample_std, false});
    std::vector<float> gradient(w.size(), 0.0F);
    kure.add_layer(w, 0.5, gradient);
    for (const std::size_t i : {std::size_t{0}, std::size_t{7}, std::size_t{52}}) {
      std::vector<float> up = w, down = w;
      up[i] += 1e-3F;
      down[i] -= 1e-3F;
      const double quotient = 0.5 * (kure.add_layer(up, 0.5, {}) - kure.add_layer(down, 0.5, {})) /
                              (static_cast<double>(up[i]) - static_cast<double>(down[i]));
      EXPECT_NEAR(static_cast<double>(gradient[i]), quotient, 1e-4 * (1.0 + std::fabs(quotient)));
    }
  }
}

TEST(Kure, SampleSigmaIsTheAuthorsFactor) {
  const std::vector<float> w = {-1.0F, 0.0F, 0.5F, 2.0F, -0.3F};
  const double value = Kure({1.0, 0.0, true, false}).add_layer(w, 1.0, {});
  EXPECT_NEAR(std::sqrt(value), 2.3610855653 * 0.64, 1e-6);  // (4 / 5)^2
}

TEST(Kure, DrivesAGaussianToTheUniformKurtosis) {
  Stream stream({3, Purpose::kTest});
  std::vector<float> w(10000), gradient(10000);
  for (float& x : w) x = static_cast<float>(stream.normal());
  const Kure kure(with_lambda(1));
  EXPECT_NEAR(moments_of(w).fourth, 3.0, 0.3);
  for (int step = 0; step < 300; ++step) {
    std::fill(gradient.begin(), gradient.end(), 0.0F);
    kure.add_layer(w, 1.0, gradient);
    for (std::size_t i = 0; i < w.size(); ++i) w[i] -= 100.0F * gradient[i];
  }
  EXPECT_NEAR(moments_of(w).fourth, 1.8, 0.05);
}

TEST(Kure, LimitsSteepGradients) {
  std::vector<float> w(400, 0.0F), gradient(400, 0.0F);
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = i % 2 == 0 ? 1e-3F : -1e-3F;
  w[0] = 1e-1F;
  ASSERT_GT(moments_of(w).fourth, 20.0);
  Kure(with_lambda(1)).add_layer(w, 0.25, gradient);
  double squares = 0;
  for (const float g : gradient) squares += static_cast<double>(g) * static_cast<double>(g);
  EXPECT_NEAR(std::sqrt(squares), 0.25, 1e-4);  // norm 1, times the weight
}

TEST(Kure, AveragesOverTheNetworksWeights) {
  const auto network = two_layers();
  const auto layout = make_layout(*network, Method{});
  Parameters parameters = make_parameters(*network, Method{}, layout, 4);
  std::vector<float> gradients(layout->size(), 0.0F), alone(layout->size(), 0.0F);
  const Kure kure(with_lambda(0.3));
  const double value = kure.add(*network, parameters.values, gradients);
  double sum = 0;
  for (const int tensor : {0, 2}) {
    const TensorSpec& spec = layout->tensors()[static_cast<std::size_t>(tensor)];
    sum += kure.add_layer(parameters.tensor(tensor), 0.15, std::span(alone).subspan(spec.offset, spec.size));
  }
  EXPECT_NEAR(value, 0.15 * sum, 1e-12);
  EXPECT_EQ(gradients, alone);
  EXPECT_EQ(Kure({0.3, 1.8, false, true}).add(*network, parameters.values, gradients),
            0.0);  // two layers, no inner one
  const std::vector<float> flat(10, 2.0F);
  EXPECT_EQ(kure.add_layer(flat, 1.0, {}), 0.0);
}

}  // namespace
}  // namespace anybit
