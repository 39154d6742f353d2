#include "scenarios/mistakes.h"

#include <gtest/gtest.h>

#include <ctime>

namespace anybit {
namespace {

TEST(SourcePosition, KnowsOverrides) {
  EXPECT_EQ(to_string(override_position("seed")), "--set seed");
  EXPECT_TRUE(from_override(override_position("seed")));
  EXPECT_FALSE(from_override({"a.toml", 3}));
  EXPECT_FALSE(from_override({"default", 0}));
}

TEST(ScenarioErrors, AreToldByLineThenOverridesEachOnce) {
  const ScenarioError low({"a.toml", 9}, "low"), high({"a.toml", 2}, "high"), set(override_position("seed"), "odd");
  EXPECT_EQ(ScenarioErrors({set, low, high, low}).lines(),
            (std::vector<std::string>{"a.toml:2: high", "a.toml:9: low", "--set seed: odd"}));
}

TEST(ScenarioErrors, AreToldFileAfterFile) {
  const ScenarioError low({"a.toml", 9}, "low"), high({"a.toml", 2}, "high"), other({"b.toml", 3}, "odd");
  EXPECT_EQ(ScenarioErrors({low, other, high}).lines(),
            (std::vector<std::string>{"a.toml:2: high", "a.toml:9: low", "b.toml:3: odd"}));
}

// A comparison of each with each took half a minute here.
/// Processor time, which a busy machine does not stretch, of putting so many mistakes in order.
double seconds_for(int mistakes) {
  std::vector<ScenarioError> many;
  for (int line = 1; line <= mistakes; ++line) many.emplace_back(SourcePosition{"a.toml", line}, "odd");
  const std::clock_t begin = std::clock();
  EXPECT_EQ(ScenarioErrors(many).mistakes().size(), many.size());
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST(ScenarioErrors, TenTimesAsManyTakeNotAHundredTimesAsLong) {
  EXPECT_LT(seconds_for(50000), 40 * seconds_for(5000));
}

TEST(Mistakes, KeepsOneOrSeveralThatAreThrown) {
  Mistakes mistakes;
  mistakes.check([] {});
  EXPECT_TRUE(mistakes.empty());
  mistakes.check([] { throw ScenarioError({"a.toml", 9}, "low"); });
  mistakes.check([] {
    throw ScenarioErrors({ScenarioError({"a.toml", 2}, "high"), ScenarioError({"a.toml", 3}, "mid")});
  });
  EXPECT_EQ(mistakes.found().size(), 3U);
  EXPECT_THROW(mistakes.throw_if_any(), ScenarioErrors);
  EXPECT_THROW(mistakes.check([] { throw std::logic_error("ours"); }), std::logic_error);
}

TEST(Mistakes, KnowWhatTheyAreAbout) {
  Mistakes mistakes;
  mistakes.add({{"a.toml", 2}, "odd", "data.proxy"});
  EXPECT_TRUE(mistakes.about("data.proxy"));
  EXPECT_TRUE(mistakes.about("data"));
  EXPECT_FALSE(mistakes.about("data.proxy.share"));
  EXPECT_FALSE(mistakes.about("data.pro"));
  EXPECT_FALSE(mistakes.about("dat"));
}

}  // namespace
}  // namespace anybit
