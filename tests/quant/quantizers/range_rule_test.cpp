#include "quant/quantizers/range_rule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/random.h"
#include "tests/quant/normal_quantiles.h"

namespace anybit {
namespace {

std::vector<float> normal_values(std::size_t n, std::uint32_t which = 0) {
  Stream stream({11, Purpose::kTest, which});
  std::vector<float> values(n);
  for (float& v : values) v = static_cast<float>(stream.normal());
  return values;
}

UniformGrid fit(const std::string& rule, std::span<const float> values, int bits, bool full_range = false) {
  FitScratch scratch;
  return range_rule_table().make({rule, Options(), {}})->fit(values, {bits, full_range, {}}, scratch);
}

UniformGrid fit_percentile(double p, std::span<const float> values) {
  Options options;
  options.set("p", p);
  FitScratch scratch;
  return range_rule_table().make({"percentile", options, {}})->fit(values, {4, false, {}}, scratch);
}

double mean_squared_error(const UniformGrid& grid, const std::vector<float>& values) {
  return squared_error(grid, values) / static_cast<double>(values.size());
}

TEST(SquaredError, IsTheSumOverTheReference) {
  const std::vector<float> values = normal_values(2500);
  const UniformGrid grid = symmetric_grid(0.3F, 3, true);
  double expected = 0;
  for (const float x : values) {
    const double d = static_cast<double>(decode(grid, encode(grid, Rounding::kHalfEven, x))) - static_cast<double>(x);
    expected += d * d;
  }
  EXPECT_NEAR(squared_error(grid, values), expected, 1e-5 * expected);
}

// The optimal full-range quantizer of N(0, 1), specs A 0.3. Its steps lie on a lattice of 0.001, so a search may do a
// little better; a million quantiles still miss 0.3 % of the 8-bit error, which lies beyond the last of them.
TEST(MseRule, LandsOnTheGaussianOptimum) {
  const std::vector<float> values = normal_quantiles(1000000);
  struct Row {
    int bits;
    double step, error, decibels;
  };
  for (const auto [bits, step, error, decibels] :
       {Row{2, 1.048, 0.14943, 8.26}, Row{3, 0.602, 0.04064, 13.91}, Row{4, 0.339, 0.011864, 19.26},
        Row{6, 0.104, 0.0010429, 29.82}, Row{8, 0.031, 8.779e-5, 40.57}}) {
    const UniformGrid grid = fit("mse", values, bits, true);
    EXPECT_NEAR(static_cast<double>(grid.scale), step, 0.03 * step) << bits;
    const UniformGrid of_table = symmetric_grid(static_cast<float>(step), bits, true);
    EXPECT_NEAR(mean_squared_error(of_table, values), error, 0.004 * error) << bits;
    EXPECT_LE(mean_squared_error(grid, values), 1.0001 * mean_squared_error(of_table, values)) << bits;
    EXPECT_GE(mean_squared_error(grid, values), 0.995 * error) << bits;
    EXPECT_NEAR(-10 * std::log10(mean_squared_error(grid, values)), decibels, 0.03) << bits;
  }
}

TEST(MseRule, IsNeverWorseThanItsNeighbours) {
  for (std::uint32_t which = 0; which < 12; ++which) {
    const std::size_t n = which % 2 == 0 ? 20000 : 800;  // either side of the histogram's limit
    std::vector<float> values = normal_values(n, which);
    if (which % 3 == 1)
      for (float& v : values) v = v * v * v;
    for (const int bits : {2, 3, 4, 6, 8}) {
      const double mse = mean_squared_error(fit("mse", values, bits), values);
      EXPECT_LE(mse, mean_squared_error(fit("minmax", values, bits), values)) << n << " " << bits;
      EXPECT_LE(mse, mean_squared_error(fit("percentile", values, bits), values)) << n << " " << bits;
    }
  }
}

TEST(MseRule, FollowsTheScaleAndIgnoresTheOrder) {
  std::vector<float> values = normal_values(10000);
  const UniformGrid grid = fit("mse", values, 4);
  std::vector<float> scaled = values;
  for (float& v : scaled) v *= 4.0F;
  EXPECT_EQ(fit("mse", scaled, 4).scale, 4.0F * grid.scale);
  for (std::size_t i = 0; i < values.size(); ++i) scaled[i] = 3.0F * values[i];
  EXPECT_NEAR(fit("mse", scaled, 4).scale / grid.scale, 3.0F, 1e-3F);
  std::reverse(values.begin(), values.end());
  EXPECT_NEAR(fit("mse", values, 4).scale / grid.scale, 1.0F, 1e-3F);
}

// Guaranteed for the least error: a channel may always take the tensor's grid.
TEST(MseRule, PerChannelIsNoWorseThanPerTensor) {
  std::vector<float> values = normal_values(16 * 500);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= 0.2F + static_cast<float>(i / 500);
  const auto rule = range_rule_table().make({"mse", Options(), {}});
  FitScratch scratch;
  ChannelGrids tensor(1), channels(16);
  rule->fit_groups(values, 500, {4, false, {}}, {}, scratch, tensor);
  rule->fit_groups(values, 500, {4, false, {}}, {}, scratch, channels);
  double sum = 0;
  for (int c = 0; c < 16; ++c)
    sum +=
        squared_error(channels.at(c), std::span<const float>(values).subspan(500 * static_cast<std::size_t>(c), 500));
  EXPECT_LT(sum, squared_error(tensor.at(0), values));
}

TEST(Percentile, IsAnExactOrderStatistic) {
  std::vector<float> values;
  for (int i = 1; i <= 1000; ++i) values.push_back(i % 2 == 0 ? static_cast<float>(i) : -static_cast<float>(i));
  EXPECT_EQ(fit_percentile(99.9, values).scale, 999.0F / 7.0F);
  EXPECT_EQ(fit_percentile(50.0, values).scale, 500.0F / 7.0F);
  EXPECT_EQ(fit_percentile(100.0, values), fit("minmax", values, 4));
  EXPECT_THROW(fit_percentile(0.0, values), ScenarioError);
  const std::vector<float> mostly_zero = {0, 0, 0, 0, 0, 0, 0, 0, 0, 2};
  EXPECT_EQ(fit_percentile(50.0, mostly_zero).scale, 2.0F / 7.0F);
}

TEST(RangeRules, LeaveZerosAlone) {
  const std::vector<float> zeros(5000, 0.0F);
  for (const char* rule : {"minmax", "mse", "percentile"}) EXPECT_TRUE(fit(rule, zeros, 4).passes_through()) << rule;
}

TEST(RangeRules, LearnedNeedsAStep) {
  const std::vector<float> values = {1.0F};
  EXPECT_THROW(fit("learned", values, 4), std::invalid_argument);
  FitScratch scratch;
  const auto rule = range_rule_table().make({"learned", Options(), {}});
  EXPECT_EQ(rule->fit(values, {4, false, -2.0F}, scratch), symmetric_grid(0.25F, 4));
}

TEST(RangeRules, FitTheirOwnChannels) {
  const std::vector<float> values = {1, 20, 3, -2, 5, 6};
  FitScratch scratch;
  for (const char* name : {"minmax", "mse", "percentile"}) {
    const auto rule = range_rule_table().make({name, Options(), {}});
    ChannelGrids beside(2), runs(2);
    rule->fit_groups(values, 1, {8, false, {}}, {}, scratch, beside);
    rule->fit_groups(values, 3, {8, false, {}}, {}, scratch, runs);
    EXPECT_EQ(beside.at(0), fit(name, std::vector<float>{1, 3, 5}, 8)) << name;
    EXPECT_EQ(beside.at(1), fit(name, std::vector<float>{20, -2, 6}, 8)) << name;
    EXPECT_EQ(runs.at(1), fit(name, std::vector<float>{-2, 5, 6}, 8)) << name;
  }
}

TEST(RangeRules, MakesTheNamedRuleWithItsPercentage) {
  EXPECT_EQ(range_rule_names(), (std::vector<std::string>{"minmax", "mse", "percentile", "learned"}));
  const std::vector<float> values = {1, 2, 3, 4};
  FitScratch scratch;
  EXPECT_EQ(make_range_rule("percentile", 50.0)->fit(values, {2, false, {}}, scratch).scale, 2.0F);
  EXPECT_EQ(make_range_rule("minmax", 50.0)->fit(values, {2, false, {}}, scratch).scale, 4.0F);
  EXPECT_THROW(make_range_rule("widest", 50.0), ScenarioError);
  EXPECT_EQ(make_range_rule("minmax", 1.0)->timing(), FitTiming::kEveryStep);
  EXPECT_EQ(make_range_rule("mse", 1.0)->timing(), FitTiming::kEveryRound);
  EXPECT_EQ(make_range_rule("learned", 1.0)->timing(), FitTiming::kLearned);
}

// Numbers that no grid fits pass through, whatever the rule and wherever they stand; nothing is written out of bounds.
TEST(RangeRules, DefineWhatIsNotFinite) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  constexpr float kMost = std::numeric_limits<float>::max();
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
  for (const std::size_t n : {std::size_t{100}, std::size_t{5000}})  // either side of the histogram's limit
    for (const float odd : {kNan, -kNan, kInfinity, -kInfinity})
      for (const std::size_t at : {std::size_t{0}, n / 2, n - 1})
        for (const char* rule : {"minmax", "mse", "percentile"}) {
          std::vector<float> values = normal_values(n);
          values[at] = odd;
          const UniformGrid grid = fit(rule, values, 4);
          EXPECT_TRUE(grid.passes_through() || std::string(rule) == "percentile") << rule << n << odd;
          EXPECT_TRUE(std::isfinite(grid.scale)) << rule << n << odd;
        }
  for (const std::size_t n : {std::size_t{100}, std::size_t{5000}})
    for (const float largest : {1e-36F, 1e-38F, 1e-30F, 1e19F, 1e30F, 0.6F * kMost, kMost})
      for (const char* rule : {"minmax", "mse", "percentile"})
        for (const bool full_range : {false, true}) {
          std::vector<float> values = normal_values(n);
          for (float& v : values) v = std::clamp(v / 4.0F, -1.0F, 1.0F) * largest;
          values[1] = -largest;
          values[n - 1] = largest;
          const UniformGrid grid = fit(rule, values, 2, full_range);
          if (grid.passes_through()) continue;
          EXPECT_TRUE(std::isfinite(1.0F / grid.scale)) << rule << n << largest;
          EXPECT_TRUE(std::isfinite(decode(grid, grid.low))) << rule << n << largest;
          EXPECT_TRUE(std::isfinite(decode(grid, grid.high))) << rule << n << largest;
        }
  std::vector<float> tiny = normal_values(5000);
  for (float& v : tiny) v *= 1e-37F;
  EXPECT_EQ(fit("mse", tiny, 2), fit("minmax", tiny, 2));  // their squares are no floats
  EXPECT_FALSE(fit("mse", tiny, 2).passes_through());
}

// Each option of a rule changes what it fits.
TEST(RangeRules, AlternativesMatter) {
  const std::vector<float> values = normal_values(1000);
  FitScratch scratch;
  for (const auto& row : range_rule_table().rows())
    for (const OptionRow& option : row.info.options) {
      Options changed;
      changed.set(option.name, option.alternative);
      EXPECT_NE(range_rule_table().make({row.info.name, changed, {}})->fit(values, {4, false, {}}, scratch),
                range_rule_table().make({row.info.name, Options(), {}})->fit(values, {4, false, {}}, scratch));
    }
}

}  // namespace
}  // namespace anybit
