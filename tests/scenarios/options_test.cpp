#include "scenarios/options.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/scenarios/scenario_fixtures.h"

namespace anybit {
namespace {

Options written() {
  Options options("training.method");
  options.set("widths", std::vector<std::int64_t>{8, 4}, {"a.toml", 7});
  options.set("rate", std::int64_t{2}, {"a.toml", 8});
  options.set("rule", std::string("mse"), {"a.toml", 9});
  options.set("learned", true, override_position("training.method.learned"));
  return options;
}

TEST(Options, ReadsEachType) {
  const Options options = written();
  EXPECT_EQ(options.integers("widths"), (std::vector<std::int64_t>{8, 4}));
  EXPECT_EQ(options.integer("rate"), 2);
  EXPECT_EQ(options.text("rule"), "mse");
  EXPECT_TRUE(options.boolean("learned"));
}

TEST(Options, AnIntegerServesAsNumberAlsoInLists) {
  EXPECT_EQ(written().number("rate"), 2.0);
  EXPECT_EQ(written().numbers("widths"), (std::vector<double>{8.0, 4.0}));
}

TEST(Options, ReadsANonNegativeNumber) {
  Options options = written();
  EXPECT_EQ(options.non_negative("rate"), 2.0);
  for (const double wrong : {-0.5, std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
    options.set("rate", wrong, {"a.toml", 8});
    EXPECT_EQ(message_of([&] { options.non_negative("rate"); }),
              "a.toml:8: training.method.rate: must be a finite number that is not negative");
  }
}

TEST(Options, AnEmptyListIsAnyList) {
  Options options("x");
  options.set("empty", std::vector<std::int64_t>{});
  EXPECT_TRUE(options.numbers("empty").empty());
  EXPECT_TRUE(options.texts("empty").empty());
}

TEST(Options, SettingAgainKeepsTheOrder) {
  Options options = written();
  options.set("widths", std::int64_t{3}, {"b.toml", 1});
  EXPECT_EQ(options.entries().size(), 4U);
  EXPECT_EQ(options.entries()[0].key, "widths");
  EXPECT_EQ(options.entries()[0].where.file, "b.toml");
  options.erase("widths");
  EXPECT_EQ(options.entries()[0].key, "rate");
}

TEST(Options, RefusalsNamePlaceKeyAndReason) {
  const Options options = written();
  EXPECT_EQ(message_of([&] { options.text("rate"); }), "a.toml:8: training.method.rate: expected text, not an integer");
  EXPECT_EQ(message_of([&] { options.integer("rule"); }),
            "a.toml:9: training.method.rule: expected an integer, not text");
  EXPECT_EQ(message_of([&] { options.require(false, "widths", "too wide"); }),
            "a.toml:7: training.method.widths: too wide");
  EXPECT_EQ(message_of([&] { options.refuse("learned", "no"); }), "--set training.method.learned: no");
  EXPECT_EQ(message_of([&] { options.number("absent"); }), "default: training.method.absent: is missing");
  EXPECT_NO_THROW(options.require(true, "widths", "too wide"));
}

TEST(Nearest, FindsTheNameWithFewestEdits) {
  const std::vector<std::string> known = {"rounds", "cohort", "clients", "mqat", "fedavg"};
  EXPECT_EQ(nearest("cohrt", known), "cohort");
  EXPECT_EQ(nearest("chort", known), "cohort");
  EXPECT_EQ(nearest("roudns", known), "rounds");
  EXPECT_EQ(nearest("FedAvg", known), "fedavg");
  EXPECT_EQ(nearest("mqta", known), "mqat");
  EXPECT_EQ(nearest("MQAT", known), "mqat");
}

TEST(Nearest, IsEmptyWhereNothingIsNear) {
  EXPECT_EQ(nearest("learning_rate", {"rate", "momentum"}), "");
  EXPECT_EQ(nearest("qat", {"sgd"}), "");
  EXPECT_EQ(nearest("", {"sgd"}), "");
  EXPECT_EQ(nearest("sgd", {}), "");
}

}  // namespace
}  // namespace anybit
