#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "server/strategies/strategy.h"

namespace anybit {

using NamedNumbers = std::vector<std::pair<std::string, double>>;

/// A strategy with these options, written in line 7 of "s.toml".
inline std::unique_ptr<Strategy> make_strategy(const std::string& name, const NamedNumbers& options = {}) {
  Options given("federation.strategy");
  for (const auto& [key, value] : options) given.set(key, value, {"s.toml", 7});
  return strategies().make({name, given, {"s.toml", 6}});
}

/// A strategy at work on one weight tensor from w = (1, -2, 0.5) on, as in specs D.
struct PlayedStrategy {
  std::unique_ptr<Strategy> strategy;
  Layout layout{{{.name = "w", .shape = {3}}}};
  std::vector<float> state;
  std::vector<float> global = {1.0F, -2.0F, 0.5F};

  explicit PlayedStrategy(const std::string& name, const NamedNumbers& options = {})
      : strategy(make_strategy(name, options)), state(3 * static_cast<std::size_t>(strategy->state_buffers())) {}

  /// One round with the mean change of specs D, (0, -0.05, 0.25), or another.
  void apply(const std::vector<float>& change = {0.0F, -0.05F, 0.25F}) {
    strategy->apply(layout, change, state, global);
  }

  void expect_global(const std::vector<double>& expected) const {
    ASSERT_EQ(expected.size(), global.size());
    for (std::size_t i = 0; i < expected.size(); ++i)
      EXPECT_NEAR(static_cast<double>(global[i]), expected[i], 1e-6) << "parameter " << i;
  }
};

/// What making it with these options says; "" where it does not mind.
inline std::string strategy_refusal(const std::string& name, const NamedNumbers& options) {
  try {
    (void)make_strategy(name, options);
  } catch (const ScenarioError& error) {
    return error.what();
  }
  return "";
}

}  // namespace anybit
