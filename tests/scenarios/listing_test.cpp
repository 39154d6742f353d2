#include "scenarios/listing.h"

#include <gtest/gtest.h>

#include <limits>

namespace anybit {
namespace {

std::vector<RowInfo> rows() {
  RowInfo plain{"plain", "says \"nothing\"", ""};
  plain.neutral.reason = "it is the base";
  RowInfo mixed{"mixed", "several widths", "Somebody 2020"};
  mixed.options = {{"widths", std::vector<std::int64_t>{8, 4}, std::vector<std::int64_t>{2}, "by turns"},
                   {"lambda", 0.0, 0.5, "strength"}};
  mixed.neutral = {"plain", {{"lambda", 0.0}}, {}, ""};
  return {plain, mixed};
}

TEST(JsonText, EscapesWhatMustBe) {
  EXPECT_EQ(json_text("a\"b\\c\n\x01 \xC3\xA9"), "\"a\\\"b\\\\c\\u000a\\u0001 \xC3\xA9\"");
}

TEST(ToJson, WritesEveryType) {
  EXPECT_EQ(to_json(true), "true");
  EXPECT_EQ(to_json(std::int64_t{3}), "3");
  EXPECT_EQ(to_json(0.5), "0.5");
  EXPECT_EQ(to_json(1e300), "1e+300");
  EXPECT_EQ(to_json(std::numeric_limits<double>::infinity()), "\"inf\"");
  EXPECT_EQ(to_json(std::vector<std::string>{"a", "b"}), "[\"a\", \"b\"]");
}

TEST(RowsToJson, IsAnArrayOfObjects) {
  EXPECT_EQ(rows_to_json(rows()), R"([
  {"name": "plain",
   "help": "says \"nothing\"",
   "paper": "",
   "options": [],
   "neutral": {"base": null, "reason": "it is the base"}},
  {"name": "mixed",
   "help": "several widths",
   "paper": "Somebody 2020",
   "options": [
    {"name": "widths", "default": [8, 4], "alternative": [2], "help": "by turns"},
    {"name": "lambda", "default": 0.0, "alternative": 0.5, "help": "strength"}],
   "neutral": {"base": "plain", "options": {"lambda": 0.0}, "base_options": {}}}
]
)");
  EXPECT_EQ(rows_to_json({}), "[]\n");
}

TEST(RowsToText, IsALineARowAndALineAnOption) {
  EXPECT_EQ(rows_to_text(rows()),
            "plain  says \"nothing\"\n"
            "mixed  several widths (Somebody 2020)\n"
            "         widths = [8, 4]  by turns\n"
            "         lambda = 0.0     strength\n");
}

}  // namespace
}  // namespace anybit
