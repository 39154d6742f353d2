#include "nn/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <set>
#include <vector>

namespace anybit {
namespace {

using Block = std::array<std::uint32_t, 4>;

// Random123's known-answer file, philox4x32 with 10 rounds.
TEST(Random, PublishedVectors) {
  EXPECT_EQ(Stream::block({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const std::uint32_t ones = 0xffffffff;
  EXPECT_EQ(Stream::block({ones, ones, ones, ones}, {ones, ones}),
            (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Stream::block({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Random, EachPartOfTheNameMakesAnotherStream) {
  std::vector<DrawName> names(1);
  for (std::uint32_t k = 1; k <= 50; ++k) {
    names.push_back({.seed = k});
    names.push_back({.purpose = static_cast<Purpose>(100 + k)});
    names.push_back({.round = k});
    names.push_back({.client = k});
    names.push_back({.step = k});
    names.push_back({.layer = k});
    names.push_back({.round = k, .step = k});
    names.push_back({.client = k, .layer = k});
  }
  std::set<std::uint64_t> firsts;
  for (const DrawName& name : names) firsts.insert(Stream(name).bits64());
  EXPECT_EQ(firsts.size(), names.size());
}

TEST(Random, EqualNamesGiveEqualNumbers) {
  const DrawName name = {.seed = 7, .purpose = Purpose::kNoise, .round = 1, .client = 2, .step = 3, .layer = 4};
  Stream one(name);
  Stream two(name);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(one.bits(), two.bits());
}

TEST(Random, ManyBitsAreThoseOneByOne) {
  for (const std::size_t before : {0U, 3U, 4U})
    for (const std::size_t many : {0U, 1U, 63U, 64U, 200U}) {
      Stream one({.seed = 5}), other({.seed = 5});
      std::vector<std::uint32_t> bits(many);
      for (std::size_t i = 0; i < before; ++i) EXPECT_EQ(one.bits(), other.bits());
      one.next_bits(bits);
      for (const std::uint32_t word : bits) EXPECT_EQ(word, other.bits());
      EXPECT_EQ(one.bits(), other.bits());
    }
}

TEST(Random, FilledBitsAreThoseOfTheirPlace) {
  const Stream stream({.seed = 5, .purpose = Purpose::kDropout, .step = 2});
  std::vector<std::uint32_t> whole(200), part(70);
  stream.fill_bits(whole, 0);
  stream.fill_bits(part, 64);
  EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 64));
  std::vector<float> uniform(200);
  stream.fill_uniform(uniform, 0.0F, 1.0F);
  for (std::size_t i = 0; i < whole.size(); ++i)
    EXPECT_EQ(uniform[i], static_cast<float>(whole[i] >> 8U) * 0x1p-24F) << i;
}

// Written down once: a change of the mapping from names to numbers changes every result ever published.
TEST(Random, TheNumbersOfANameStayAsTheyAre) {
  const DrawName name = {.seed = 7, .purpose = Purpose::kNoise, .round = 1, .client = 2, .step = 3, .layer = 4};
  EXPECT_EQ(Stream(name).bits(), 0x3a41bd4cU);
  std::array<float, 3> values{};
  Stream(name).fill_uniform(values, 0.0F, 1.0F);
  EXPECT_EQ(values[0], 0x1.88b8aap-1F);
  EXPECT_EQ(values[2], 0x1.04487ep-1F);
}

TEST(Random, FillIsAFunctionOfNameAndIndex) {
  const Stream stream({.seed = 3});
  std::vector<float> whole(1000);
  stream.fill_uniform(whole, -1.0F, 1.0F);
  for (const std::size_t size : {1U, 63U, 64U, 65U, 999U}) {
    std::vector<float> part(size);
    stream.fill_uniform(part, -1.0F, 1.0F);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin())) << size;
  }
  Stream used({.seed = 3});
  used.normal();
  std::vector<float> after(1000);
  used.fill_uniform(after, -1.0F, 1.0F);
  EXPECT_EQ(after, whole);
}

TEST(Random, FillComesFromTheBlocksItSays) {
  // Blocks 2^63 + b of the stream, sixteen at a time, word by word.
  std::vector<float> filled(64 * 3);
  const Stream stream({.round = 5, .step = 9});
  stream.fill_uniform(filled, 0.0F, 1.0F);
  Stream again({.round = 5, .step = 9});
  std::set<float> drawn;
  for (int i = 0; i < 64 * 3; ++i) drawn.insert(static_cast<float>(again.bits() >> 8U) * 0x1p-24F);
  for (const float value : filled) EXPECT_FALSE(drawn.contains(value));
}

TEST(Random, FillStaysBelowItsUpperBound) {
  std::vector<float> values(1 << 18);
  Stream({.seed = 11}).fill_uniform(values, 1.0F, 1.0000002F);
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  EXPECT_GE(*low, 1.0F);
  EXPECT_LT(*high, 1.0000002F);
}

TEST(Random, FillIsUniform) {
  constexpr int kBins = 256;
  std::vector<float> values(1 << 20);
  Stream({.seed = 1}).fill_uniform(values, -2.0F, 6.0F);
  std::vector<double> counts(kBins);
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    ASSERT_TRUE(value >= -2.0F && value < 6.0F);
    counts[static_cast<std::size_t>((value + 2.0F) * (kBins / 8.0F))] += 1;
    sum += value;
    squares += (value - 2.0) * (value - 2.0);
  }
  const double expected = static_cast<double>(values.size()) / kBins;
  double chi_square = 0;
  for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
  // 255 degrees of freedom: mean 255, deviation 22.6; four deviations.
  EXPECT_GT(chi_square, 255 - 90);
  EXPECT_LT(chi_square, 255 + 90);
  EXPECT_NEAR(sum / static_cast<double>(values.size()), 2.0, 0.01);
  EXPECT_NEAR(squares / static_cast<double>(values.size()), 64.0 / 12.0, 0.03);
}

TEST(Random, BelowIsUnbiasedAndInRange) {
  for (const std::uint32_t bound : {1U, 2U, 3U, 10U, 62U}) {
    Stream stream({.seed = bound});
    std::vector<double> counts(bound);
    constexpr int kDraws = 62000;
    for (int i = 0; i < kDraws; ++i) counts.at(stream.below(bound)) += 1;
    double chi_square = 0;
    const double expected = static_cast<double>(kDraws) / bound;
    for (const double count : counts) chi_square += (count - expected) * (count - expected) / expected;
    EXPECT_LT(chi_square, bound - 1 + 5 * std::sqrt(2.0 * bound)) << bound;
  }
  Stream large({.seed = 1});
  for (int i = 0; i < 1000; ++i) EXPECT_LT(large.below(0xC0000001U), 0xC0000001U);
}

TEST(Random, UniformDoubles) {
  Stream stream({.seed = 2});
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const double u = stream.uniform();
    ASSERT_TRUE(u >= 0.0 && u < 1.0);
    sum += u;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
}

TEST(Random, NormalMoments) {
  Stream stream({.seed = 4});
  constexpr int kDraws = 200000;
  std::array<double, 5> moments{};
  for (int i = 0; i < kDraws; ++i) {
    const double x = stream.normal();
    for (int k = 1; k <= 4; ++k) moments[static_cast<std::size_t>(k)] += std::pow(x, k) / kDraws;
  }
  EXPECT_NEAR(moments[1], 0.0, 0.01);
  EXPECT_NEAR(moments[2], 1.0, 0.015);
  EXPECT_NEAR(moments[3], 0.0, 0.04);
  EXPECT_NEAR(moments[4], 3.0, 0.12);
}

TEST(Random, GammaMoments) {
  for (const double shape : {0.1, 0.5, 1.0, 3.0, 20.0}) {
    Stream stream({.seed = 5});
    constexpr int kDraws = 100000;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double x = stream.gamma(shape);
      ASSERT_GE(x, 0.0);
      sum += x / kDraws;
      squares += x * x / kDraws;
    }
    EXPECT_NEAR(sum / shape, 1.0, 0.05) << shape;
    EXPECT_NEAR((squares - sum * sum) / shape, 1.0, 0.1) << shape;
  }
}

TEST(Random, ShuffleIsAPermutationAndFair) {
  std::array<int, 24> counts{};
  for (std::uint32_t k = 0; k < 24000; ++k) {
    std::array<int, 4> items = {0, 1, 2, 3};
    Stream({.client = k}).shuffle(std::span<int>(items));
    std::array<int, 4> sorted = items;
    std::sort(sorted.begin(), sorted.end());
    ASSERT_EQ(sorted, (std::array<int, 4>{0, 1, 2, 3}));
    std::array<int, 4> rank_of = {0, 1, 2, 3};
    std::size_t rank = 0;
    while (rank_of != items) {
      std::next_permutation(rank_of.begin(), rank_of.end());
      ++rank;
    }
    counts[rank] += 1;
  }
  for (const int count : counts) EXPECT_NEAR(count, 1000, 160);
}

}  // namespace
}  // namespace anybit
