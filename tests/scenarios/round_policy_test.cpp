#include "scenarios/round_policy.h"

#include <gtest/gtest.h>

#include "tests/scenarios/scenario_fixtures.h"

namespace anybit {
namespace {

TEST(RoundPolicy, SelectsTheCohortTimesTheFactorRoundedUp) {
  EXPECT_EQ(selected_clients(10, 1.0), 10U);
  EXPECT_EQ(selected_clients(10, 1.3), 13U);
  EXPECT_EQ(selected_clients(10, 1.31), 14U);
  EXPECT_EQ(selected_clients(1, 1.5), 2U);
  EXPECT_EQ(selected_clients(50, 1.1), 55U) << "in binary the product is above 55";
  EXPECT_EQ(selected_clients((1 << 24) - 1, 10.0), 10 * ((1ULL << 24) - 1));
}

TEST(RoundPolicy, WaitsForEverybodyByDefault) {
  EXPECT_EQ(read(kSmallest).federation.policy, RoundPolicy{});
  EXPECT_EQ(RoundPolicy{}.over_selection, 1.0);
  EXPECT_EQ(RoundPolicy{}.deadline, 0.0);
  EXPECT_EQ(RoundPolicy{}.minimum, 1U);
  EXPECT_EQ(RoundPolicy{}.replace_until, 0.0);
  EXPECT_EQ(RoundPolicy{}.give_up, 10U);
}

TEST(RoundPolicy, IsReadFromTheFederation) {
  const RoundPolicy policy = read(kSmallest +
                                  "over_selection = 1.2\ndeadline = 30\nminimum = 3\nreplace_until = 0.5\ngive_up = 2\n"
                                  "pace = 0.25\n")
                                 .federation.policy;
  EXPECT_EQ(policy, (RoundPolicy{1.2, 30.0, 3, 0.5, 2, 0.25}));
}

TEST(RoundPolicy, RefusesWhatIsOutOfRange) {
  EXPECT_EQ(
      mistakes_of(kSmallest + "over_selection = 0.9\ndeadline = -1\nminimum = 0\nreplace_until = 1.5\ngive_up = 0\n"),
      (Lines{"a.toml:9: federation.over_selection: 0.9 is out of range; accepted: 1.0 to 10.0",
             "a.toml:10: federation.deadline: -1.0 is out of range; accepted: finite and at least 0.0",
             "a.toml:11: federation.minimum: 0 is out of range; accepted: 1 to 16777215",
             "a.toml:12: federation.replace_until: 1.5 is out of range; accepted: 0.0 to 1.0",
             "a.toml:13: federation.give_up: 0 is out of range; accepted: 1 to 2147483647"}));
  EXPECT_EQ(mistakes_of(kSmallest + "over_selection = nan\n").size(), 1U);
  EXPECT_EQ(mistakes_of(kSmallest + "deadline = inf\n").size(), 1U);
  EXPECT_EQ(mistakes_of(kSmallest + "pace = 1.5\n"),
            Lines{"a.toml:9: federation.pace: 1.5 is out of range; accepted: 0.0 to 1.0"});
}

TEST(RoundPolicy, RefusesARoundThatSelectsMoreThanThereAre) {
  EXPECT_EQ(mistakes_of(kSmallest + "over_selection = 4\n"), Lines{});
  EXPECT_EQ(mistakes_of(kSmallest + "over_selection = 4.1\n"),
            Lines{"a.toml:9: federation.over_selection: 4.1 times federation.cohort, 5, selects 21 clients, more than "
                  "data.clients, 20"});
}

TEST(RoundPolicy, RefusesWhatCannotBe) {
  EXPECT_EQ(mistakes_of(kSmallest + "minimum = 6\n"), Lines{"a.toml:9: federation.minimum: 6 is more than "
                                                            "federation.cohort, 5"});
  EXPECT_EQ(mistakes_of(kSmallest + "minimum = 5\n"), Lines{});
  EXPECT_EQ(mistakes_of(kSmallest + "replace_until = 0.5\n"),
            Lines{"a.toml:9: federation.replace_until: it is a part of federation.deadline, and there is none; set "
                  "that, too"});
}

}  // namespace
}  // namespace anybit
