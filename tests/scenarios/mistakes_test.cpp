#include "scenarios/mistakes.h"

#include <gtest/gtest.h>

#include <chrono>

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

// A comparison of each with each took half a minute here.
TEST(ScenarioErrors, AHundredThousandTakeNoTime) {
  std::vector<ScenarioError> many;
  for (int line = 1; line <= 100000; ++line) many.emplace_back(SourcePosition{"a.toml", line}, "odd");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(ScenarioErrors(many).mistakes().size(), many.size());
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(5));
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
