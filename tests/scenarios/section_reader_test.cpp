#include "scenarios/section_reader.h"

#include <gtest/gtest.h>

#include <functional>

#include "tests/scenarios/scenario_fixtures.h"

namespace anybit {
namespace {

/// Reads [s] of a document with `action` and returns the mistakes.
Lines mistakes_when(const std::string& text, const std::function<void(SectionReader&)>& action) {
  const TomlNode document = parse_document(text, "a.toml");
  Mistakes mistakes("a.toml");
  SectionReader section(document.child("s"), "s", mistakes);
  action(section);
  try {
    mistakes.throw_if_any();
  } catch (const ScenarioErrors& errors) {
    return errors.lines();
  }
  return {};
}

TEST(SectionReader, ReadsWhatIsWrittenElseFallsBack) {
  EXPECT_EQ(mistakes_when("[s]\nn = 3\nx = 2\nt = \"a\"\nw = 8\n",
                          [](SectionReader& section) {
                            EXPECT_EQ(section.integer("n", {1, 9}, 5), 3);
                            EXPECT_EQ(section.integer("m", {1, 9}, 5), 5);
                            EXPECT_EQ(section.number("x", 0, 1.0), 2.0);
                            EXPECT_EQ(section.text("t", "b"), "a");
                            EXPECT_EQ(section.widths("w", std::nullopt), std::vector<int>{8});
                            section.finish();
                          }),
            Lines{});
}

TEST(SectionReader, AnAbsentSectionIsAllFallbacks) {
  EXPECT_EQ(mistakes_when("",
                          [](SectionReader& section) {
                            EXPECT_EQ(section.integer("n", {1, 9}, 5), 5);
                            section.text("t", std::nullopt);
                            section.finish();
                          }),
            Lines{"a.toml:1: s.t: is missing"});
}

TEST(SectionReader, LimitsAreInclusive) {
  const auto read_it = [](SectionReader& section) { section.integer("n", {1, 9}, 5); };
  EXPECT_EQ(mistakes_when("[s]\nn = 1\n", read_it), Lines{});
  EXPECT_EQ(mistakes_when("[s]\nn = 9\n", read_it), Lines{});
  EXPECT_EQ(mistakes_when("[s]\nn = 10\n", read_it), Lines{"a.toml:2: s.n: 10 is out of range; accepted: 1 to 9"});
  EXPECT_EQ(mistakes_when("[s]\nn = 0\n", read_it), Lines{"a.toml:2: s.n: 0 is out of range; accepted: 1 to 9"});
}

TEST(SectionReader, NumbersAreFinite) {
  const auto read_it = [](SectionReader& section) { section.number("x", 0, 1.0); };
  EXPECT_EQ(mistakes_when("[s]\nx = inf\n", read_it),
            Lines{"a.toml:2: s.x: inf is out of range; accepted: finite and at least 0.0"});
  EXPECT_EQ(mistakes_when("[s]\nx = nan\n", read_it), Lines{"a.toml:2: s.x: expected a number, not nan"});
}

TEST(SectionReader, WidthsAreTwoToSixteenOrFloat) {
  const auto read_it = [](SectionReader& section) { section.widths("w", std::nullopt); };
  EXPECT_EQ(mistakes_when("[s]\nw = [2, 16, 32]\n", read_it), Lines{});
  EXPECT_EQ(mistakes_when("[s]\nw = [1, 17]\n", read_it),
            (Lines{"a.toml:2: s.w: 1 is no width; accepted: 2 to 16, or 32 for float",
                   "a.toml:2: s.w: 17 is no width; accepted: 2 to 16, or 32 for float"}));
  EXPECT_EQ(mistakes_when("[s]\nw = [8, 8]\n", read_it), Lines{"a.toml:2: s.w: 8 is listed twice"});
  EXPECT_EQ(mistakes_when("[s]\nw = []\n", read_it), Lines{"a.toml:2: s.w: the list is empty"});
}

TEST(SectionReader, AWidthOfItsOwnMayBeZero) {
  const auto read_it = [](SectionReader& section) { section.width_or_zero("w"); };
  EXPECT_EQ(mistakes_when("[s]\nw = 0\n", read_it), Lines{});
  EXPECT_EQ(mistakes_when("[s]\nw = 32\n", read_it), Lines{});
  EXPECT_EQ(mistakes_when("[s]\nw = 20\n", read_it),
            Lines{"a.toml:2: s.w: 20 is no width; accepted: 2 to 16, 32 for float, 0 for as the others"});
}

TEST(SectionReader, ChoicesNameWhatIsKnown) {
  EXPECT_EQ(mistakes_when("[s]\nt = \"udp\"\n",
                          [](SectionReader& section) {
                            section.choice("t", "tcp", {"tcp", "memory"});
                          }),
            Lines{"a.toml:2: s.t: unknown 'udp'; known: tcp, memory"});
}

TEST(SectionReader, FinishRefusesWhatNobodyAskedFor) {
  const auto read_it = [](SectionReader& section) {
    section.integer("rounds", {1, 9}, 5);
    section.integer("cohort", {1, 9}, 5);
    section.finish();
  };
  EXPECT_EQ(mistakes_when("[s]\ncohrt = 1\ncolour = 2\n", read_it),
            (Lines{"a.toml:2: unknown key 'cohrt' in [s]; did you mean 'cohort'?",
                   "a.toml:3: unknown key 'colour' in [s]; known: rounds, cohort"}));
}

TEST(SectionReader, TakesTheRestAsOptions) {
  EXPECT_EQ(mistakes_when("[s]\nset = \"a\"\nclasses = 3\n",
                          [](SectionReader& section) {
                            section.text("set", std::nullopt);
                            const Options options = section.take_options();
                            ASSERT_EQ(options.entries().size(), 1U);
                            EXPECT_EQ(options.integer("classes"), 3);
                            EXPECT_EQ(options.find("classes")->where.line, 3);
                          }),
            Lines{});
}

}  // namespace
}  // namespace anybit
