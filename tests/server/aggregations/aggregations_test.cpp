#include "server/aggregations/aggregation.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

Part part(const std::string& name, const std::vector<std::pair<std::string, OptionValue>>& options = {}) {
  Part made{name, Options("federation.aggregation"), {"a.toml", 3}};
  for (const auto& [key, value] : options) made.options.set(key, value, {"a.toml", 4});
  return made;
}

Asynchrony make(const std::string& name, const std::vector<std::pair<std::string, OptionValue>>& options = {}) {
  return aggregations().make(part(name, options)).value();
}

std::string refusal(const std::string& name, const std::string& key, const OptionValue& value) {
  const std::vector<ScenarioError> found = aggregations().mistakes(part(name, {{key, value}}));
  return found.empty() ? "" : found.front().what();
}

// Specs D: s = 1/sqrt(1 + t) at 0 and 3; alpha s of FedAsync at staleness 3, and by the hinge at 6: 0.6 / 21.
TEST(Aggregations, DiscountAsTheirPapersSay) {
  EXPECT_EQ(make("fedbuff").discount(0), 1.0);
  EXPECT_EQ(make("fedbuff").discount(3), 0.5);
  const Asynchrony polynomial = make("fedasync");
  EXPECT_DOUBLE_EQ(*polynomial.mixing * polynomial.discount(3), 0.3);
  EXPECT_EQ(make("fedasync", {{"discount", std::string("constant")}}).discount(3), 1.0);
  const Asynchrony hinge = make("fedasync", {{"discount", std::string("hinge")}});
  EXPECT_EQ(hinge.discount(4), 1.0);
  EXPECT_NEAR(*hinge.mixing * hinge.discount(6), 0.0285714, 5e-8);
}

TEST(Aggregations, DiscountByAnyExponent) {
  EXPECT_EQ(make("fedbuff", {{"exponent", 0.0}}).discount(7), 1.0);
  EXPECT_EQ(make("fedbuff", {{"exponent", 1.0}}).discount(3), 0.25);
  EXPECT_NEAR(make("fedbuff", {{"exponent", 2.0}}).discount(3), 0.0625, 1e-15);
  EXPECT_NEAR(make("fedbuff", {{"exponent", 0.25}}).discount(15), 0.5, 1e-15);
}

TEST(Aggregations, LeaveSomethingOfEveryUpdate) {
  EXPECT_EQ(make("fedbuff", {{"exponent", 100.0}}).discount(0), 1.0);
  EXPECT_EQ(make("fedbuff", {{"exponent", 100.0}}).discount(1), kLeastDiscount);
  const Asynchrony hinge =
      make("fedbuff", {{"discount", std::string("hinge")}, {"patience", std::int64_t{0}}, {"slope", 1e6}});
  EXPECT_EQ(hinge.discount(1 << 20), kLeastDiscount);
}

TEST(Aggregations, ReadTheirOptions) {
  EXPECT_FALSE(aggregations().make(part("synchronous")));
  const Asynchrony made = make("fedbuff", {{"concurrency", std::int64_t{7}}, {"normalise", true}});
  EXPECT_EQ(made.concurrency, 7U);
  EXPECT_TRUE(made.normalise);
  EXPECT_FALSE(made.mixing);
  EXPECT_EQ(make("fedasync", {{"alpha", 0.5}}).mixing, 0.5);
}

TEST(Aggregations, RefuseAllThatIsOfAnotherDiscount) {
  const Part idle =
      part("fedbuff",
           {{"discount", std::string("constant")}, {"exponent", 0.7}, {"patience", std::int64_t{2}}, {"slope", 10.0}});
  const std::vector<ScenarioError> found = aggregations().mistakes(idle);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].key(), "federation.aggregation.exponent");
  EXPECT_EQ(found[1].key(), "federation.aggregation.patience");
}

TEST(Aggregations, RefuseWhatCannotBe) {
  EXPECT_EQ(refusal("fedbuff", "concurrency", std::int64_t{0}),
            "a.toml:4: federation.aggregation.concurrency: must be 1 to 16777215");
  EXPECT_NE(refusal("fedbuff", "discount", std::string("linear")), "");
  EXPECT_NE(refusal("fedbuff", "exponent", -1.0), "");
  EXPECT_EQ(refusal("fedbuff", "slope", 3.0),
            "a.toml:4: federation.aggregation.slope: is of another discount than 'polynomial': leave it out");
  EXPECT_NE(refusal("fedasync", "patience", std::int64_t{3}), "");
  EXPECT_EQ(refusal("fedasync", "patience", std::int64_t{4}), "") << "the default, as a run writes it out";
  for (const char* other : {"constant", "hinge"})
    EXPECT_THROW(make("fedbuff", {{"discount", std::string(other)}, {"exponent", 3.0}}), ScenarioError) << other;
  EXPECT_NE(refusal("fedbuff", "alpha", 0.5), "") << "an option of the other one";
  EXPECT_NE(refusal("fedasync", "alpha", 0.0), "");
  EXPECT_NE(refusal("fedasync", "alpha", 1.5), "");
}

}  // namespace
}  // namespace anybit
