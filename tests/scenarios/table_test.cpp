#include "scenarios/table.h"

#include <gtest/gtest.h>

#include "tests/scenarios/scenario_fixtures.h"

namespace anybit {
namespace {

const RowInfo kMixed = {"mixed",
                        "trains at several widths",
                        "",
                        {{"widths", std::vector<std::int64_t>{8, 4}, std::vector<std::int64_t>{2}, "by turns"},
                         {"lambda", 0.0, 0.5, "strength"},
                         {"sampling", std::string("step"), std::string("round"), "how often"}}};

Table<std::string> small_table() {
  const auto make = [](const Options& options) { return options.text("sampling"); };
  return {"method", {{{"plain", "nothing", ""}, [](const Options&) { return std::string("plain"); }}, {kMixed, make}}};
}

Options given() { return Options("training.method", {"name"}); }

TEST(ResolveOptions, FillsDefaultsInTheOrderOfTheRow) {
  Options options = given();
  options.set("sampling", std::string("round"), {"a.toml", 4});
  const Options resolved = resolve_options(kMixed, options);
  ASSERT_EQ(resolved.entries().size(), 3U);
  EXPECT_EQ(resolved.entries()[0].key, "widths");
  EXPECT_EQ(resolved.entries()[0].where.file, "default");
  EXPECT_EQ(resolved.entries()[2].key, "sampling");
  EXPECT_EQ(resolved.entries()[2].where.line, 4);
  EXPECT_EQ(resolved.path(), "training.method");
  EXPECT_EQ(resolve_options(kMixed, options, {"a.toml", 2}).entries()[0].where.line, 2) << "the part's place";
}

TEST(ResolveOptions, StoresTheTypeOfTheRow) {
  Options options = given();
  options.set("widths", std::int64_t{3});
  options.set("lambda", std::int64_t{1});
  const Options resolved = resolve_options(kMixed, options);
  EXPECT_EQ(resolved.find("widths")->value, OptionValue(std::vector<std::int64_t>{3}));
  EXPECT_EQ(resolved.find("lambda")->value, OptionValue(1.0));
}

TEST(ResolveOptions, NamesTheNearestForAnUnknownOption) {
  Options options = given();
  options.set("lamda", 0.5, {"a.toml", 4});
  EXPECT_EQ(message_of([&] { resolve_options(kMixed, options); }),
            "a.toml:4: training.method.lamda: 'mixed' has no option 'lamda'; known: widths, lambda, sampling (did you "
            "mean 'lambda'?)");
}

TEST(ResolveOptions, AMisspeltKeyBesideTheOptionsIsFound) {
  Options options("data", {"set", "clients"});
  options.set("clinets", std::int64_t{3}, {"a.toml", 4});
  EXPECT_EQ(message_of([&] {
              resolve_options({"glyphs", "", ""}, options);
            }),
            "a.toml:4: data.clinets: 'glyphs' has no option 'clinets'; known: none (did you mean 'clients'?)");
}

TEST(ResolveOptions, SaysWhichTypeItExpects) {
  Options options = given();
  options.set("lambda", std::string("much"), override_position("training.method.lambda"));
  EXPECT_EQ(message_of([&] { resolve_options(kMixed, options); }),
            "--set training.method.lambda: expected a number such as 0.0, not text");
}

void take_all(const Options&) {}

/// Refuses as makers do: one value after the other, the second one in the light of the first.
void refuse_some(const Options& options) {
  const double lambda = options.number("lambda");
  options.require(lambda >= 0 && lambda < 1, "lambda", "must be in [0, 1)");
  options.require(options.text("sampling") != "round" || lambda > 0, "sampling", "round needs a lambda above 0");
  for (const std::int64_t width : options.integers("widths")) options.require(width <= 16, "widths", "too wide");
}

std::vector<std::string> refused(const Options& options) {
  std::vector<std::string> lines;
  for (const ScenarioError& mistake : option_mistakes(kMixed, options, refuse_some)) lines.emplace_back(mistake.what());
  return lines;
}

TEST(OptionMistakes, FindsEveryValueThatTheMakerRefuses) {
  Options options = given();
  options.set("lambda", -1.0, {"a.toml", 4});
  options.set("widths", std::int64_t{64}, {"a.toml", 5});
  EXPECT_EQ(refused(options), (std::vector<std::string>{"a.toml:4: training.method.lambda: must be in [0, 1)",
                                                        "a.toml:5: training.method.widths: too wide"}));
}

TEST(OptionMistakes, FindsValuesBesideUnknownOptionsAndWrongTypes) {
  Options options = given();
  options.set("lambda", std::string("much"), {"a.toml", 4});
  options.set("widths", std::int64_t{64}, {"a.toml", 5});
  options.set("foo", true, {"a.toml", 6});
  const std::vector<std::string> lines = refused(options);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[2], "a.toml:5: training.method.widths: too wide");
}

TEST(OptionMistakes, AStandInIsNotTheUsersMistake) {
  Options options = given();
  options.set("sampling", std::string("round"), {"a.toml", 5});
  EXPECT_EQ(refused(options).size(), 1U);
  options.set("lambda", 2.0, {"a.toml", 4});  // its fallback, 0, would not go with "round"
  EXPECT_EQ(refused(options), std::vector<std::string>{"a.toml:4: training.method.lambda: must be in [0, 1)"});
}

// Options that have no meaning beside another one may only stand there as their defaults.
TEST(OptionMistakes, FindsEveryIdleOption) {
  const auto refuse_idle = [](const Options& options) {
    options.require(options.number("lambda") == 0, "lambda", "is idle");
    options.require(options.text("sampling") == "step", "sampling", "is idle");
  };
  Options options = given();
  options.set("lambda", 0.7, {"a.toml", 4});
  options.set("sampling", std::string("never"), {"a.toml", 5});
  const std::vector<ScenarioError> found = option_mistakes(kMixed, options, refuse_idle);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].key(), "training.method.lambda");
  EXPECT_EQ(found[1].key(), "training.method.sampling");
}

TEST(OptionMistakes, AMakerThatFailsForAnotherReasonEndsTheSearch) {
  Options options = given();
  options.set("lambda", 2.0, {"a.toml", 4});
  const auto missing_file = [](const Options& made_of) {
    made_of.require(made_of.number("lambda") < 1, "lambda", "too large");
    throw std::runtime_error("no such file");
  };
  EXPECT_EQ(option_mistakes(kMixed, options, missing_file).size(), 1U);
}

TEST(OptionMistakes, FindsUnknownOptionsAndWrongTypes) {
  Options options = given();
  options.set("lambda", true, {"a.toml", 4});
  options.set("foo", true, {"a.toml", 5});
  const std::vector<ScenarioError> found = option_mistakes(kMixed, options, take_all);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_TRUE(std::string(found[0].what()).starts_with("a.toml:5: training.method.foo: "));
  EXPECT_TRUE(std::string(found[1].what()).starts_with("a.toml:4: training.method.lambda: "));
  EXPECT_TRUE(option_mistakes(kMixed, given(), take_all).empty());
}

TEST(DropForeignOptions, DropsOnlyWhatTheFileWroteForTheOldRow) {
  Part part{"mixed", given(), override_position("training.method.name")};
  part.options.set("widths", std::int64_t{2}, {"a.toml", 4});
  part.options.set("foo", true, {"a.toml", 5});
  part.options.set("bar", true, override_position("training.method.bar"));
  EXPECT_EQ(drop_foreign_options(kMixed, part), std::vector<std::string>{"foo"});
  EXPECT_TRUE(part.options.has("widths"));
  EXPECT_TRUE(part.options.has("bar"));
  EXPECT_EQ(option_mistakes(kMixed, part.options, take_all).size(), 1U);
}

TEST(DropForeignOptions, LeavesAPartThatTheFileNamed) {
  Part part{"mixed", given(), {"a.toml", 3}};
  part.options.set("foo", true, {"a.toml", 5});
  EXPECT_TRUE(drop_foreign_options(kMixed, part).empty());
  EXPECT_TRUE(part.options.has("foo"));
}

TEST(Table, MakesByNameWithDefaults) {
  EXPECT_EQ(small_table().make({"mixed", given(), {}}), "step");
  EXPECT_EQ(small_table().make({"plain", given(), {}}), "plain");
  EXPECT_EQ(small_table().resolve({"mixed", given(), {}}).options.entries().size(), 3U);
}

TEST(Table, RefusesAnUnknownNameWithTheKnownOnes) {
  const Part part{"mixde", given(), {"a.toml", 3}};
  const std::string expected = "a.toml:3: unknown method 'mixde'; known: plain, mixed (did you mean 'mixed'?)";
  EXPECT_EQ(message_of([&] { small_table().make(part); }), expected);
  ASSERT_EQ(small_table().mistakes(part).size(), 1U);
  EXPECT_EQ(small_table().mistakes(part)[0].what(), expected);
  EXPECT_EQ(small_table().mistakes(part)[0].where().line, 3);
}

}  // namespace
}  // namespace anybit
