#include "scenarios/option_types.h"

#include <gtest/gtest.h>

#include <limits>

namespace anybit {
namespace {

using Integers = std::vector<std::int64_t>;
using Numbers = std::vector<double>;
using Texts = std::vector<std::string>;

TEST(ToToml, WritesEveryType) {
  EXPECT_EQ(to_toml(true), "true");
  EXPECT_EQ(to_toml(std::int64_t{-3}), "-3");
  EXPECT_EQ(to_toml(std::string("a \"b\" \\ \n\x01")), "\"a \\\"b\\\" \\\\ \\u000A\\u0001\"");
  EXPECT_EQ(to_toml(Integers{8, 4}), "[8, 4]");
  EXPECT_EQ(to_toml(Numbers{1, 0.5}), "[1.0, 0.5]");
  EXPECT_EQ(to_toml(Texts{"a", "b"}), "[\"a\", \"b\"]");
  EXPECT_EQ(to_toml(Integers{}), "[]");
}

TEST(ToToml, NumbersAreTheShortestAndNeverLookLikeIntegers) {
  EXPECT_EQ(shortest_number(0.05), "0.05");
  EXPECT_EQ(shortest_number(5), "5.0");
  EXPECT_EQ(shortest_number(-0.0), "-0.0");
  EXPECT_EQ(shortest_number(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(shortest_number(1e300), "1e+300");
  EXPECT_EQ(shortest_number(-std::numeric_limits<double>::infinity()), "-inf");
}

TEST(TomlKey, QuotesWhatIsNotBare) {
  EXPECT_EQ(toml_key("proxy-2_b"), "proxy-2_b");
  EXPECT_EQ(toml_key("a b"), "\"a b\"");
  EXPECT_EQ(toml_key(""), "\"\"");
}

TEST(ConvertLike, IntegersServeAsNumbers) {
  EXPECT_EQ(convert_like(std::int64_t{2}, 0.5), OptionValue(2.0));
  EXPECT_EQ(convert_like(Integers{1, 2}, Numbers{}), OptionValue(Numbers{1.0, 2.0}));
}

TEST(ConvertLike, OneValueServesAsAList) {
  EXPECT_EQ(convert_like(std::int64_t{2}, Integers{}), OptionValue(Integers{2}));
  EXPECT_EQ(convert_like(std::int64_t{2}, Numbers{}), OptionValue(Numbers{2.0}));
  EXPECT_EQ(convert_like(std::string("mse"), Texts{}), OptionValue(Texts{"mse"}));
}

TEST(ConvertLike, AnEmptyListServesAsAnyList) {
  EXPECT_EQ(convert_like(Integers{}, Texts{}), OptionValue(Texts{}));
  EXPECT_EQ(convert_like(Integers{}, Numbers{}), OptionValue(Numbers{}));
}

TEST(ConvertLike, NothingIsLost) {
  EXPECT_FALSE(convert_like(2.0, std::int64_t{0}));
  EXPECT_FALSE(convert_like(std::string("2"), std::int64_t{0}));
  EXPECT_FALSE(convert_like(std::int64_t{1}, true));
  EXPECT_FALSE(convert_like(true, std::int64_t{0}));
  EXPECT_FALSE(convert_like(Integers{1}, std::int64_t{0}));
  EXPECT_FALSE(convert_like(Numbers{1.5}, Integers{}));
  EXPECT_FALSE(convert_like(std::int64_t{1}, Texts{}));
}

}  // namespace
}  // namespace anybit
