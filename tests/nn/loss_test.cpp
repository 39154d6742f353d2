#include "nn/loss.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/nn/golden_file.h"
#include "tests/nn/hash_numbers.h"

namespace anybit {
namespace {

struct Case {
  const char* name;
  std::size_t rows;
  int classes;
  std::uint64_t stream;
};

class CrossEntropyGolden : public testing::TestWithParam<Case> {};

TEST_P(CrossEntropyGolden, AgreesWithPyTorch) {
  const Case& c = GetParam();
  const std::vector<float> outputs = hash_numbers(c.stream, c.rows * static_cast<std::size_t>(c.classes), 8.0F);
  std::vector<std::uint8_t> labels;
  for (std::size_t i = 0; i < c.rows; ++i)
    labels.push_back(static_cast<std::uint8_t>(hash_word(c.stream + 1, i) % static_cast<std::uint32_t>(c.classes)));
  std::vector<float> gradient(outputs.size());
  const Score score = CrossEntropy().apply(outputs, labels, c.classes, gradient);

  const GoldenFile golden("nn_goldens.txt");
  const std::string key = std::string("cross_entropy.") + c.name;
  EXPECT_NEAR(score.loss, golden[key + ".loss"][0], 1e-6 * golden[key + ".loss"][0]);
  EXPECT_EQ(score.correct, golden[key + ".correct"][0]);
  EXPECT_EQ(count_correct(outputs, labels, c.classes), score.correct);
  const std::vector<double>& expected = golden[key + ".gradient"];
  ASSERT_EQ(expected.size(), gradient.size());
  for (std::size_t i = 0; i < gradient.size(); ++i) EXPECT_NEAR(gradient[i], expected[i], 1e-7);
}

INSTANTIATE_TEST_SUITE_P(Shapes, CrossEntropyGolden,
                         testing::Values(Case{"small", 5, 3, 10}, Case{"ten", 4, 10, 20}, Case{"wide", 3, 62, 30}),
                         [](const auto& parameter) { return std::string(parameter.param.name); });

TEST(CrossEntropy, EqualOutputsAreTheLogOfTheClasses) {
  std::vector<float> outputs = {3, 3, 3, 3};
  std::vector<float> gradient(4);
  const std::vector<std::uint8_t> labels = {2};
  const Score score = CrossEntropy().apply(outputs, labels, 4, gradient);
  EXPECT_NEAR(score.loss, std::log(4.0), 1e-7);
  EXPECT_EQ(gradient, (std::vector<float>{0.25F, 0.25F, -0.75F, 0.25F}));
}

TEST(CrossEntropy, HugeOutputsStayFiniteAndBrokenOnesShow) {
  std::vector<float> gradient(3);
  const std::vector<std::uint8_t> labels = {0};
  const Score huge = CrossEntropy().apply(std::vector<float>{-1e30F, 1e30F, 0}, labels, 3, gradient);
  EXPECT_NEAR(huge.loss, 2e30, 1e24);
  EXPECT_EQ(gradient, (std::vector<float>{-1, 1, 0}));
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isnan(CrossEntropy().apply(std::vector<float>{1, nan, 0}, labels, 3, gradient).loss));
  EXPECT_FALSE(std::isfinite(CrossEntropy().apply(std::vector<float>{1, infinity, 0}, labels, 3, gradient).loss));
}

TEST(CrossEntropy, AnEmptyBatchHasNoLoss) {
  const Score score = CrossEntropy().apply({}, {}, 3, {});
  EXPECT_EQ(score.loss, 0.0);
  EXPECT_EQ(score.correct, 0);
}

TEST(CountCorrect, TheLowestIndexWinsATie) {
  const std::vector<float> outputs = {1, 2, 2, 0, 0, 0};
  EXPECT_EQ(count_correct(outputs, std::vector<std::uint8_t>{1, 0}, 3), 2);
  EXPECT_EQ(count_correct(outputs, std::vector<std::uint8_t>{2, 1}, 3), 0);
}

}  // namespace
}  // namespace anybit
