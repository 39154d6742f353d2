#include "scenarios/document.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "scenarios/option_types.h"

namespace anybit {
namespace {

const SourcePosition kHere = {"--set x", 0};

OptionValue value_of(const std::string& text) { return parse_value(text, kHere).value; }

TEST(ParseDocument, KeepsLinesAndTheOrderOfWriting) {
  const TomlNode document = parse_document("zebra = 1\n[b]\nx = 2.5\n[a]\ny = [1, 2]\n", "a.toml");
  ASSERT_EQ(document.children.size(), 3U);
  EXPECT_EQ(document.children[0].key, "zebra");
  EXPECT_EQ(document.children[1].key, "b");
  EXPECT_EQ(document.children[2].key, "a");
  EXPECT_EQ(document.child("b")->where.line, 2);
  EXPECT_EQ(document.child("b")->child("x")->where.line, 3);
  EXPECT_EQ(document.child("a")->child("y")->where.file, "a.toml");
  EXPECT_EQ(document.child("a")->child("absent"), nullptr);
}

TEST(ParseDocument, ASyntaxErrorHasItsLine) {
  try {
    parse_document("a = 1\nb = = 2\n", "a.toml");
    FAIL() << "nothing thrown";
  } catch (const ScenarioError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("a.toml:2: ")) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(ParseDocument, NamesWhatNoScenarioHolds) {
  const TomlNode document =
      parse_document("a = 2020-01-01\nb = [[1], [2]]\nc = nan\nd = [1, nan]\ne = [1, \"x\"]\nf = [true]\n", "a.toml");
  for (const TomlNode& node : document.children) EXPECT_EQ(node.kind, TomlNode::Kind::foreign) << node.key;
  EXPECT_EQ(type_name(*document.child("a")), "a date or time");
}

TEST(ParseDocument, DeepNestingIsRefused) {
  EXPECT_THROW(parse_document("a = " + std::string(100000, '['), "a.toml"), ScenarioError);
}

TEST(ParseValue, ReadsTomlElseText) {
  EXPECT_EQ(value_of("3"), OptionValue(std::int64_t{3}));
  EXPECT_EQ(value_of("3.0"), OptionValue(3.0));
  EXPECT_EQ(value_of("[1, 2.5]"), OptionValue(std::vector<double>{1.0, 2.5}));
  EXPECT_EQ(value_of("\"3\""), OptionValue(std::string("3")));
  EXPECT_EQ(value_of("kure"), OptionValue(std::string("kure")));
  EXPECT_EQ(value_of("[8, 4"), OptionValue(std::string("[8, 4")));
  EXPECT_EQ(value_of(""), OptionValue(std::string()));
  EXPECT_EQ(value_of("1\nb = 2"), OptionValue(std::string("1\nb = 2")));
}

TEST(ParseValue, PlacesEveryNode) {
  const TomlNode node = parse_value("{ name = \"kure\", lambda = 1 }", kHere);
  EXPECT_EQ(node.where.file, "--set x");
  EXPECT_EQ(node.child("lambda")->where.file, "--set x");
  EXPECT_EQ(node.child("lambda")->where.line, 0);
}

TEST(ParseValue, RefusesTextThatIsNotUtf8) { EXPECT_THROW(parse_value("\xFF\xFE", kHere), ScenarioError); }

TEST(ParseValue, NumbersComeBackToTheBit) {
  std::uint64_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto number = std::bit_cast<double>(state);
    if (std::isnan(number)) continue;
    const OptionValue back = value_of(shortest_number(number));
    ASSERT_EQ(std::bit_cast<std::uint64_t>(std::get<double>(back)), state) << shortest_number(number);
  }
  for (const double number : {5e-324, std::numeric_limits<double>::max(), -0.0, 0.1, 1e22})
    EXPECT_EQ(std::bit_cast<std::uint64_t>(std::get<double>(value_of(shortest_number(number)))),
              std::bit_cast<std::uint64_t>(number));
  EXPECT_EQ(value_of(to_toml(std::numeric_limits<std::int64_t>::min())),
            OptionValue(std::numeric_limits<std::int64_t>::min()));
}

TEST(ParseValue, TextsComeBackToTheByte) {
  std::string every;
  for (int byte = 0; byte < 128; ++byte) every += static_cast<char>(byte);
  every += "\xC3\xA9\xE2\x82\xAC";
  EXPECT_EQ(value_of(to_toml(every)), OptionValue(every));
}

}  // namespace
}  // namespace anybit
