#include "sim/resolve.h"

#include <gtest/gtest.h>

#include "tests/sim/tiny_scenario.h"

namespace anybit {
namespace {

ResolvedScenario resolve(const std::vector<std::string>& settings) {
  std::vector<Override> overrides;
  for (const std::string& setting : settings) overrides.push_back(parse_override(setting));
  return resolve_scenario(parse_scenario(kTinyScenario, "tiny.toml", overrides));
}

std::vector<std::string> mistakes(const std::vector<std::string>& settings) {
  try {
    resolve(settings);
  } catch (const ScenarioErrors& errors) {
    return errors.lines();
  }
  return {};
}

TEST(Resolve, WritesEveryOptionOut) {
  const Scenario scenario = resolve({}).scenario;
  EXPECT_TRUE(scenario.training.optimizer.options.has("momentum"));
  EXPECT_TRUE(scenario.data.partition.options.has("minimum"));
}

TEST(Resolve, IsStable) {
  const std::string text = write_scenario(resolve({}).scenario);
  EXPECT_EQ(write_scenario(resolve_scenario(parse_scenario(text, "again.toml", {})).scenario), text);
}

TEST(Resolve, DropsWhatWasWrittenForTheOldRowAndSaysSo) {
  const ResolvedScenario resolved = resolve({"training.method.name=fedavg"});
  EXPECT_EQ(resolved.scenario.training.method.name, "fedavg");
  ASSERT_EQ(resolved.notes.size(), 1U);
  EXPECT_NE(resolved.notes[0].find("training.method"), std::string::npos);
  EXPECT_NE(resolved.notes[0].find("widths, activations"), std::string::npos);
}

// `examples` of drawn sets counts each writer's; the file sets' `limit` is another thing.
TEST(Resolve, DropsTheExamplesOfEachWriterWhereASetOfFilesTakesOver) {
  const ResolvedScenario resolved = resolve({"data.set=mnist"});
  EXPECT_FALSE(resolved.scenario.data.set.options.has("examples"));
  EXPECT_EQ(resolved.scenario.data.set.options.integer("limit"), 0);
  ASSERT_EQ(resolved.notes.size(), 1U);
  EXPECT_TRUE(resolved.notes[0].starts_with("data is now 'mnist': dropped ")) << resolved.notes[0];
  EXPECT_TRUE(resolved.notes[0].ends_with(": examples")) << resolved.notes[0];
}

TEST(Resolve, KeepsWhatTheNewRowKnows) {
  const ResolvedScenario resolved = resolve({"training.optimizer.name=adam"});
  EXPECT_TRUE(resolved.notes.empty());
  EXPECT_EQ(resolved.scenario.training.optimizer.options.number("rate"), 0.1);
}

TEST(Resolve, CollectsAllMistakes) {
  const std::vector<std::string> lines =
      mistakes({"model.name=mpl", "training.method.widthss=[4]", "training.optimizer.rate=-1", "evaluate.range=[\"mes\"]"});
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_NE(lines[1].find("did you mean 'mlp'"), std::string::npos);
  EXPECT_NE(lines[2].find("did you mean 'widths'"), std::string::npos);
  EXPECT_NE(lines[3].find("rate"), std::string::npos);
  EXPECT_NE(lines[0].find("did you mean 'mse'"), std::string::npos);
}

TEST(Resolve, PointsAtTheLine) {
  const std::string text = std::string(kTinyScenario) + "[checkpoint]\n";
  std::string broken = text;
  broken.replace(broken.find("name = \"sgd\""), 12, "name = \"sdg\"");
  try {
    resolve_scenario(parse_scenario(broken, "broken.toml", {}));
    FAIL();
  } catch (const ScenarioErrors& errors) {
    ASSERT_EQ(errors.lines().size(), 1U);
    EXPECT_TRUE(errors.lines()[0].starts_with("broken.toml:21: ")) << errors.lines()[0];
  }
}

}  // namespace
}  // namespace anybit
