#include "scenarios/overrides.h"

#include <gtest/gtest.h>

#include "tests/scenarios/scenario_fixtures.h"

namespace anybit {
namespace {

const std::string kInline = kSmallest + "[training]\nmethod = { name = \"mqat\", widths = [8, 4] }\n";

TEST(ParseOverride, SplitsAtTheFirstEquals) {
  const Override change = parse_override(" training.method = {name = \"kure\"} ");
  EXPECT_EQ(change.path, "training.method");
  EXPECT_EQ(change.value, "{name = \"kure\"}");
  EXPECT_EQ(parse_override("name=").value, "");
  EXPECT_THROW(parse_override("seed"), ScenarioError);
  EXPECT_THROW(parse_override("=3"), ScenarioError);
}

TEST(Overrides, ReplaceAndAddKeys) {
  const Scenario scenario = read(kSmallest, {{"federation.cohort", "7"}, {"seed", "9"}, {"name", "trial"}});
  EXPECT_EQ(scenario.federation.cohort, 7);
  EXPECT_EQ(scenario.seed, 9U);
  EXPECT_EQ(scenario.name, "trial");
}

TEST(Overrides, TheLastOneWins) { EXPECT_EQ(read(kSmallest, {{"seed", "9"}, {"seed", "10"}}).seed, 10U); }

TEST(Overrides, GoIntoInlineTablesAndMakeThem) {
  const Scenario inside = read(kInline, {{"training.method.lambda", "0.5"}});
  EXPECT_EQ(inside.training.method.name, "mqat");
  EXPECT_EQ(inside.training.method.options.number("lambda"), 0.5);
  EXPECT_EQ(inside.training.method.options.find("lambda")->where.file, "--set training.method.lambda");
  const Scenario made = read(kSmallest, {{"training.method.name", "kure"}, {"evaluate.final.weights", "[8]"}});
  EXPECT_EQ(made.training.method.name, "kure");
  EXPECT_TRUE(made.evaluate.has_final);
  EXPECT_EQ(made.evaluate.final_grid.weights, std::vector<int>{8});
}

TEST(Overrides, ATextForAPartIsItsName) {
  const Scenario scenario = read(kInline, {{"training.method", "kure"}, {"model", "lenet"}});
  EXPECT_EQ(scenario.training.method.name, "kure");
  EXPECT_TRUE(scenario.training.method.options.has("widths"));
  EXPECT_TRUE(from_override(scenario.training.method.where));
  EXPECT_EQ(scenario.model.name, "lenet");
}

TEST(Overrides, ATableForAPartReplacesIt) {
  const Scenario scenario = read(kInline, {{"training.method", "{ name = \"kure\", lambda = 1.0 }"}});
  EXPECT_EQ(scenario.training.method.name, "kure");
  EXPECT_FALSE(scenario.training.method.options.has("widths"));
}

TEST(Overrides, OpenAPartThatWasWrittenAsItsName) {
  const std::string text = kSmallest + "[training]\nmethod = \"kure\"\n";
  const Scenario scenario = read(text, {{"training.method.lambda", "0.5"}});
  EXPECT_EQ(scenario.training.method.name, "kure");
  EXPECT_EQ(scenario.training.method.where.line, 10);
  EXPECT_EQ(scenario.training.method.options.number("lambda"), 0.5);
}

TEST(Overrides, TheSameNameAgainKeepsItsPlace) {
  const Scenario same = read(kInline, {{"training.method", "mqat"}, {"data.set", "glyphs"}});
  EXPECT_EQ(same.training.method.where.line, 10);
  EXPECT_EQ(same.data.set.where.line, 2);
  const Scenario other = read(kInline, {{"training.method.name", "kure"}, {"data.set", "mnist"}});
  EXPECT_EQ(other.training.method.where.file, "--set training.method.name");
  EXPECT_EQ(other.data.set.where.file, "--set data.set");
}

TEST(Overrides, TheSameOptionAgainIsTheOverrides) {
  const Scenario scenario = read(kInline, {{"training.method.widths", "[8, 4]"}});
  EXPECT_TRUE(from_override(scenario.training.method.options.find("widths")->where));
}

TEST(Overrides, UnknownPathsAreMistakes) {
  EXPECT_EQ(mistakes_of(kSmallest, {{"federation.cohrt", "3"}}),
            Lines{"--set federation.cohrt: unknown key 'cohrt' in [federation]; did you mean 'cohort'?"});
  EXPECT_EQ(mistakes_of(kSmallest, {{"fedration.cohort", "3"}}),
            Lines{"--set fedration.cohort: unknown key 'fedration'; did you mean 'federation'?"});
}

TEST(Overrides, PathsThatCannotBeAreMistakes) {
  EXPECT_EQ(mistakes_of(kSmallest, {{"federation.cohort.size", "3"}, {"a..b", "1"}}),
            (Lines{"--set federation.cohort.size: 'federation.cohort' is an integer, so nothing can be set below it",
                   "--set a..b: expected key.path=value, the keys parted by single points"}));
}

TEST(Overrides, AnIntegerOfTooManyDigitsIsOutOfRange) {
  const std::string huge = "99999999999999999999";
  EXPECT_EQ(mistakes_of(kSmallest, {{"seed", huge}}),
            Lines{"--set seed: " + huge + " is out of range; accepted: 0 to 9223372036854775807"});
  EXPECT_EQ(mistakes_of(kSmallest, {{"seed", "-" + huge}}),
            Lines{"--set seed: -" + huge + " is out of range; accepted: 0 to 9223372036854775807"});
  EXPECT_EQ(mistakes_of(kSmallest, {{"model.hidden", huge}}),
            Lines{"--set model.hidden: an integer beyond 64 bits cannot be used here; an option is a number, a text, "
                  "true or false, or a list"});
  EXPECT_EQ(read(kSmallest, {{"name", "\"" + huge + "\""}}).name, huge);
}

TEST(Overrides, WrongTypesAreMistakesOfTheOverride) {
  EXPECT_EQ(mistakes_of(kSmallest, {{"federation.cohort", "many"}}),
            Lines{"--set federation.cohort: expected an integer, not text"});
  EXPECT_EQ(mistakes_of(kSmallest, {{"training", "fast"}}), Lines{"--set training: expected a table, not text"});
}

}  // namespace
}  // namespace anybit
