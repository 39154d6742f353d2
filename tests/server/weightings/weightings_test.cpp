#include "server/weightings/weighting.h"

#include <gtest/gtest.h>

#include <vector>

namespace anybit {
namespace {

Part part(const std::string& name, const std::vector<std::pair<std::string, OptionValue>>& options = {}) {
  Part made{name, Options("federation.weighting"), {"a.toml", 3}};
  for (const auto& [key, value] : options) made.options.set(key, value, {"a.toml", 4});
  return made;
}

double weight(const Part& of, std::uint32_t examples, const std::vector<int>& widths) {
  return weightings().make(of)->weight(examples, widths);
}

TEST(Weightings, CountExamplesOrNothing) {
  EXPECT_EQ(weight(part("examples"), 30, {8}), 30);
  EXPECT_EQ(weight(part("equal"), 30, {8}), 1);
}

TEST(Weightings, CountBits) {
  EXPECT_EQ(weight(part("width"), 30, {8}), 15) << "8 of 16";
  EXPECT_EQ(weight(part("width"), 30, {8, 4}), 30 * 6.0 / 16);
  EXPECT_EQ(weight(part("width"), 30, {32}), 30) << "float counts as 16 bits";
  EXPECT_EQ(weight(part("width"), 30, {}), 30) << "a device that has not said";
  EXPECT_NEAR(weight(part("width", {{"power", 2.0}}), 30, {4}), 30.0 / 16, 1e-12);
  EXPECT_EQ(weight(part("width", {{"power", 0.0}}), 30, {4}), 30);
}

// Steps of the narrow grids: 2^2 - 2 = 2 and 2^3 - 2 = 6, so the errors are 1/4 and 1/36.
TEST(Weightings, CountWhatRoundingLeaves) {
  const Part of = part("inverse_error", {{"floor", 0.25}});
  EXPECT_NEAR(weight(of, 10, {2}), 10 / 0.5, 1e-12);
  EXPECT_NEAR(weight(of, 10, {3}), 10 / (1.0 / 36 + 0.25), 1e-12);
  EXPECT_NEAR(weight(of, 10, {2, 3}), 10 / ((0.25 + 1.0 / 36) / 2 + 0.25), 1e-12);
}

TEST(Weightings, RefuseWhatCannotBe) {
  const auto refusal = [](const Part& of) {
    const std::vector<ScenarioError> found = weightings().mistakes(of);
    return found.empty() ? std::string() : std::string(found.front().what());
  };
  EXPECT_EQ(refusal(part("width", {{"power", 9.0}})), "a.toml:4: federation.weighting.power: must be 0 to 8");
  EXPECT_NE(refusal(part("inverse_error", {{"floor", 0.0}})), "");
}

}  // namespace
}  // namespace anybit
