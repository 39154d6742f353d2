#include "quant/grids/uniform.h"

#include <gtest/gtest.h>

#include <cstring>
#include <limits>
#include <set>

#include "nn/random.h"
#include "quant/grids/extremes.h"

namespace anybit {
namespace {

std::vector<float> normal_draws(std::size_t n, std::uint32_t which) {
  Stream stream({7, Purpose::kTest, which});
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(stream.normal());
  return values;
}

int round_code(Rounding rounding, float u, float draw = 0.0F) {
  return encode({1.0F, 0, 0.0F, -100, 100}, rounding, u, draw);
}

TEST(UniformGrid, RoundsTiesAsItsRuleSays) {
  EXPECT_EQ(round_code(Rounding::kHalfEven, 0.5F), 0);
  EXPECT_EQ(round_code(Rounding::kHalfEven, 1.5F), 2);
  EXPECT_EQ(round_code(Rounding::kHalfEven, -0.5F), 0);
  EXPECT_EQ(round_code(Rounding::kHalfUp, 0.5F), 1);
  EXPECT_EQ(round_code(Rounding::kHalfUp, 2.5F), 3);
  EXPECT_EQ(round_code(Rounding::kHalfUp, -0.5F), 0);
  EXPECT_EQ(round_code(Rounding::kHalfUp, -1.5F), -1);
  // The largest float below one half: u + 1/2 itself would round to 1.
  EXPECT_EQ(round_code(Rounding::kHalfUp, 0.49999997F), 0);
  EXPECT_EQ(round_code(Rounding::kStochastic, 2.25F, 0.24F), 3);
  EXPECT_EQ(round_code(Rounding::kStochastic, 2.25F, 0.25F), 2);
  EXPECT_EQ(round_code(Rounding::kStochastic, -2.25F, 0.74F), -2);
  EXPECT_EQ(round_code(Rounding::kStochastic, -2.25F, 0.75F), -3);
  EXPECT_THROW(rounding_from("down"), std::invalid_argument);
}

TEST(UniformGrid, StochasticRoundingIsUnbiased) {
  const std::vector<float> before(20000, 0.3F);
  std::vector<float> after(before.size());
  Stream({3, Purpose::kRounding}).fill_uniform(after, 0.0F, 1.0F);
  ChannelGrids grids;
  grids.set(0, {1.0F, 0, 0.0F, -4, 4});
  quantize(grids, 1, Rounding::kStochastic, before, after, after);
  double sum = 0;
  for (const float v : after) sum += static_cast<double>(v);
  EXPECT_NEAR(sum / 20000.0, 0.3, 4 * std::sqrt(0.21 / 20000.0));
}

TEST(UniformGrid, SymmetricGridsHaveTheCodesOfTheSpecs) {
  EXPECT_EQ(symmetric_grid_for(7.0F, 4), (UniformGrid{1.0F, 0, 0.0F, -7, 7}));
  EXPECT_EQ(symmetric_grid_for(7.0F, 4, true), (UniformGrid{1.0F, 0, 0.0F, -8, 7}));
  EXPECT_EQ(symmetric_grid_for(1.0F, 2), (UniformGrid{1.0F, 0, 0.0F, -1, 1}));
  EXPECT_TRUE(symmetric_grid_for(0.0F, 4).passes_through());
  EXPECT_TRUE(symmetric_grid_for(1e-44F, 8).passes_through());
  EXPECT_TRUE(symmetric_grid(0.1F, 4, true).nested());
  EXPECT_FALSE(symmetric_grid(0.1F, 4).nested());
  EXPECT_TRUE(symmetric_grid(0.1F, 4).has_zero());
  EXPECT_FALSE((UniformGrid{1.0F, 0, 0.5F, -2, 1}).has_zero());
}

TEST(UniformGrid, NeedsAFiniteStepAndAFiniteInverse) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kMost = std::numeric_limits<float>::max();
  for (const float magnitude : {kInfinity, std::numeric_limits<float>::quiet_NaN(), kMost})
    EXPECT_TRUE(symmetric_grid_for(magnitude, 2).passes_through()) << magnitude;
  EXPECT_FALSE(symmetric_grid_for(1e38F, 2).passes_through());
  for (const auto& [low, high] : std::vector<std::pair<float, float>>{{-kInfinity, 0.0F},
                                                                      {0.0F, kInfinity},
                                                                      {-kInfinity, kInfinity},
                                                                      {-kMost, kMost},
                                                                      {std::numeric_limits<float>::quiet_NaN(), 1.0F},
                                                                      {-1.0F, std::numeric_limits<float>::quiet_NaN()}})
    EXPECT_TRUE(asymmetric_grid(low, high, 8).passes_through()) << low << " " << high;
}

TEST(UniformGrid, EncodesWhatIsNotFinite) {
  const UniformGrid grid = asymmetric_grid(-1.0F, 2.0F, 2);
  for (const Rounding rounding : {Rounding::kHalfEven, Rounding::kHalfUp, Rounding::kStochastic}) {
    EXPECT_EQ(encode(grid, rounding, std::numeric_limits<float>::infinity(), 0.5F), 3);
    EXPECT_EQ(encode(grid, rounding, -std::numeric_limits<float>::infinity(), 0.5F), 0);
    EXPECT_EQ(encode(grid, rounding, std::numeric_limits<float>::quiet_NaN(), 0.5F), 0);
  }
}

TEST(UniformGrid, AsymmetricGridsContainZeroAndAnIntegerZeroPoint) {
  const UniformGrid grid = asymmetric_grid(-1.0F, 2.0F, 2);
  EXPECT_EQ(grid, (UniformGrid{1.0F, 1, 0.0F, 0, 3}));
  EXPECT_EQ(asymmetric_grid(0.5F, 3.0F, 2), (UniformGrid{1.0F, 0, 0.0F, 0, 3}));    // widened down to 0
  EXPECT_EQ(asymmetric_grid(-3.0F, -0.5F, 2), (UniformGrid{1.0F, 3, 0.0F, 0, 3}));  // and up
  EXPECT_TRUE(asymmetric_grid(0.0F, 0.0F, 8).passes_through());
  for (int bits = 2; bits <= 16; ++bits) {
    const UniformGrid g = asymmetric_grid(-0.37F, 1.13F, bits);
    EXPECT_TRUE(g.has_zero());
    EXPECT_EQ(decode(g, encode(g, Rounding::kHalfEven, 0.0F)), 0.0F);
  }
}

// specs A 0.2: idempotent, error at most s/2, monotone, odd, at most 2^b values.
TEST(UniformGrid, KeepsTheInvariantsOfAQuantizer) {
  std::vector<float> values = normal_draws(4000, 1);
  std::sort(values.begin(), values.end());
  for (const int bits : {2, 3, 4, 8, 16}) {
    const UniformGrid grid = symmetric_grid_for(largest_magnitude(values), bits);
    std::set<float> levels;
    float last = -1e9F;
    for (const float x : values) {
      const float q = decode(grid, encode(grid, Rounding::kHalfEven, x));
      EXPECT_EQ(decode(grid, encode(grid, Rounding::kHalfEven, q)), q);
      EXPECT_LE(std::fabs(q - x), grid.scale * 0.5F * 1.0001F);
      EXPECT_GE(q, last);
      EXPECT_EQ(decode(grid, encode(grid, Rounding::kHalfEven, -x)), -q);
      levels.insert(q);
      last = q;
    }
    EXPECT_LE(levels.size(), std::size_t{1} << bits);
  }
}

TEST(UniformGrid, MasksExactlyWhatIsClipped) {
  ChannelGrids grids;
  grids.set(0, symmetric_grid(1.0F, 3));  // codes -3 ... 3
  const std::vector<float> before = {-3.5F, -3.0F, -2.9F, 0.0F, 3.0F, 3.01F};
  std::vector<float> gradient(6, 2.0F);
  mask_clipped(grids, 1, before, gradient);
  EXPECT_EQ(gradient, (std::vector<float>{0, 2, 2, 2, 2, 0}));
  EXPECT_TRUE(never_clips(grids.at(0), -3.0F, 3.0F));
  EXPECT_FALSE(never_clips(grids.at(0), -3.01F, 0.0F));
  EXPECT_FALSE(never_clips(grids.at(0), 0.0F, 3.01F));
}

struct Case {
  const char* name;
  int channels;
  int stride;
};

class EveryKernel : public testing::TestWithParam<Case> {};

// One grid per channel: symmetric, asymmetric, with an offset, and one without extent.
ChannelGrids mixed_grids(int channels, int bits) {
  ChannelGrids grids(channels);
  for (int c = 0; c < channels; ++c) {
    const float size = 0.5F + 0.25F * static_cast<float>(c % 7);
    if (c % 5 == 4)
      grids.set(c, {0.0F, 0, 0.0F, -1, 1});
    else if (c % 3 == 0)
      grids.set(c, symmetric_grid_for(size, bits, c % 2 == 1));
    else if (c % 3 == 1)
      grids.set(c, asymmetric_grid(-0.3F * size, size, bits));
    else
      grids.set(c, {size / 5.0F, 1, 0.1F, 0, (1 << bits) - 1});
  }
  return grids;
}

TEST_P(EveryKernel, EqualsItsReferenceBitForBit) {
  const auto [name, channels, stride] = GetParam();
  const auto period = static_cast<std::size_t>(channels) * static_cast<std::size_t>(stride);
  const std::size_t n = channels == 1 ? 1003 : 3 * period;
  std::vector<float> before = normal_draws(n, 2);
  before[0] = 0.0F;
  before[1] = -0.0F;
  before[2] = 1e30F;
  before[3] = -1e30F;
  std::vector<float> draws(n), expected(n), fast(n);
  Stream({5, Purpose::kRounding}).fill_uniform(draws, 0.0F, 1.0F);
  for (const int bits : {2, 3, 4, 8, 16}) {
    const ChannelGrids grids = mixed_grids(channels, bits);
    for (const Rounding rounding : {Rounding::kHalfEven, Rounding::kHalfUp, Rounding::kStochastic}) {
      quantize_reference(grids, stride, rounding, before, draws, expected);
      quantize(grids, stride, rounding, before, draws, fast);
      ASSERT_EQ(std::memcmp(expected.data(), fast.data(), n * sizeof(float)), 0) << name << bits;
      fast = draws;  // drawn into the result's own place
      quantize(grids, stride, rounding, before, fast, fast);
      ASSERT_EQ(std::memcmp(expected.data(), fast.data(), n * sizeof(float)), 0) << name << bits;
    }
    std::vector<float> masked(n, 1.0F), masked_fast(n, 1.0F);
    mask_reference(grids, stride, before, masked);
    mask_clipped(grids, stride, before, masked_fast);
    ASSERT_EQ(masked, masked_fast);
  }
}

INSTANTIATE_TEST_SUITE_P(Granularities, EveryKernel,
                         testing::Values(Case{"tensor", 1, 1}, Case{"channels_beside", 37, 1},
                                         Case{"channels_in_runs", 11, 29}, Case{"two_wide_runs", 2, 64}),
                         [](const auto& each) { return each.param.name; });

TEST(Extremes, AreExact) {
  const std::vector<float> values = {0.5F, -3.0F, 2.0F, -0.0F, 1.0F, 2.5F};
  EXPECT_EQ(largest_magnitude(values), 3.0F);
  EXPECT_EQ(extremes_with_zero(values).low, -3.0F);
  EXPECT_EQ(extremes_with_zero(values).high, 2.5F);
  EXPECT_EQ(extremes_with_zero(std::vector<float>{1.0F, 2.0F}).low, 0.0F);
  EXPECT_EQ(extremes_with_zero(std::vector<float>{-1.0F}).high, 0.0F);
  std::vector<float> beside(2), runs(2);
  channel_magnitudes(values, 1, beside);
  channel_magnitudes(values, 3, runs);
  EXPECT_EQ(beside, (std::vector<float>{2.0F, 3.0F}));
  EXPECT_EQ(runs, (std::vector<float>{3.0F, 2.5F}));
}

}  // namespace
}  // namespace anybit
