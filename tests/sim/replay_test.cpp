#include "sim/replay.h"

#include <gtest/gtest.h>

#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

struct ReplayTest : testing::Test {
  Federation federation = tiny_federation({"federation.cohort=10"});
  std::vector<LoggedEvent> events;
  FederationState logged = run_all(federation, 2, [this](const LoggedEvent& event) { events.push_back(event); });
};

TEST_F(ReplayTest, EndsInTheSameBytes) {
  for (const int threads : {1, 2}) {
    Replay replay(federation, events, threads);
    EXPECT_EQ(replay.run(), "");
    EXPECT_EQ(compare_states(logged, replay.state()), "");
  }
}

TEST_F(ReplayTest, TakesTheOrderOfTheLog) {
  std::swap(events[1], events[3]);  // two updates of the first round, which count in any order
  Replay replay(federation, events, 1);
  EXPECT_EQ(replay.run(), "");
  EXPECT_EQ(compare_states(logged, replay.state()), "");
}

TEST_F(ReplayTest, RepeatsALoss) {
  events[2].kind = LoggedEvent::Kind::kLost;
  events[2].reason = "battery";
  events.resize(11);  // started and the ten events of the first round
  Replay replay(federation, events, 1);
  EXPECT_EQ(replay.run(), "");
  EXPECT_EQ(replay.state().version, 1U);
}

TEST_F(ReplayTest, TakesAnUpdateThatCameTwice) {
  // Beside the first and at the round's end: acknowledged again, counted once.
  events.insert(events.begin() + 4, events[3]);
  events.insert(events.begin() + 9, events[3]);
  for (const int threads : {1, 2}) {
    Replay replay(federation, events, threads);
    EXPECT_EQ(replay.run(), "");
    EXPECT_EQ(compare_states(logged, replay.state()), "");
  }
  events[9].crc ^= 1U;
  EXPECT_TRUE(Replay(federation, events, 1).run().starts_with("events.log:10: the update of client "));
}

TEST_F(ReplayTest, FindsAnUpdateThatDiffers) {
  events[5].crc ^= 1U;
  Replay replay(federation, events, 1);
  const std::string difference = replay.run();
  EXPECT_TRUE(difference.starts_with("events.log:6: the update of client ")) << difference;
}

TEST_F(ReplayTest, RefusesAnAnswerToNoTask) {
  events[5].round = 3;
  EXPECT_NE(Replay(federation, events, 1).run().find("a task of round 3"), std::string::npos);
}

TEST_F(ReplayTest, TakesAnUpdateThatCameTooLate) {
  // Of the first round, in the second: refused then and now, whatever was in it.
  LoggedEvent late = events[3];
  late.crc ^= 1U;
  events.insert(events.begin() + 14, late);
  Replay replay(federation, events, 2);
  EXPECT_EQ(replay.run(), "");
  EXPECT_EQ(compare_states(logged, replay.state()), "");
}

TEST_F(ReplayTest, ReplacesWhoWasReplacedAndNobodyElse) {
  federation = tiny_federation({"federation.cohort=3", "federation.deadline=9", "federation.replace_until=1"});
  events.clear();
  run_all(federation, 2, [this](const LoggedEvent& event) { events.push_back(event); });
  events.resize(5);  // started, three updates, concluded
  events[1].kind = LoggedEvent::Kind::kUnreplaced;
  EXPECT_EQ(Replay(federation, events, 1).run(), "");
  events[1].kind = LoggedEvent::Kind::kLost;
  EXPECT_EQ(Replay(federation, events, 1).run(), "events.log:5: round 0 is over in the log, but not in the replay");
}

TEST_F(ReplayTest, HoldsTheEndsOfRoundsAgainstTheLog) {
  ASSERT_EQ(events[11].kind, LoggedEvent::Kind::kConcluded);
  std::vector<LoggedEvent> without = events;
  without.erase(without.begin() + 11);
  EXPECT_EQ(Replay(federation, without, 1).run(), "events.log:12: round 0 is over before, but not in the log");
  std::vector<LoggedEvent> early = events;
  std::swap(early[10], early[11]);
  EXPECT_EQ(Replay(federation, early, 1).run(), "events.log:11: round 0 is over in the log, but not in the replay");
}

TEST(ReplayOfPolicies, EndsInTheSameBytes) {
  const std::vector<std::vector<std::string>> policies = {
      {"federation.cohort=3", "federation.over_selection=1.5", "federation.minimum=2"},
      {"federation.cohort=5", "federation.deadline=9", "federation.replace_until=1"},
      {"federation.cohort=3", "federation.minimum=3", "federation.give_up=2"}};
  for (const std::vector<std::string>& policy : policies) {
    SCOPED_TRACE(policy.back());
    const Federation federation = tiny_federation(explosive_with(policy));
    std::vector<LoggedEvent> events;
    const FederationState logged = run_all(federation, 2, [&](const LoggedEvent& event) { events.push_back(event); });
    Replay replay(federation, events, 2);
    EXPECT_EQ(replay.run(), "");
    EXPECT_EQ(compare_states(logged, replay.state()), "");
  }
}

TEST_F(ReplayTest, ComparesStatesByteForByte) {
  FederationState other = logged;
  EXPECT_EQ(compare_states(logged, other), "");
  other.global.values[7] = -other.global.values[7];
  EXPECT_EQ(compare_states(logged, other), "its parameters differ");
  other.global.values[7] = logged.global.values[7];
  other.round = 9;
  EXPECT_EQ(compare_states(logged, other), "it took 4 rounds, the replay 9");
  other.version = 1;
  EXPECT_EQ(compare_states(logged, other), "it ends at round 4, the replay at round 1");
}

TEST(CompareStates, LooksAtTimeAndTasks) {
  FederationState logged;
  logged.time = 20;
  logged.expected_round = 5;
  logged.tasks = 9;
  logged.in_flight = {{.client = 3, .number = 8, .version = 2, .since = 15, .delay = 0.5}};
  logged.downlinks = {{.version = 2, .digest = 7, .bytes = std::make_shared<const Bytes>(Bytes{1, 2})}};
  const auto difference = [&](const auto& change) {
    FederationState other = logged;
    other.downlinks[0].bytes = std::make_shared<const Bytes>(*logged.downlinks[0].bytes);
    change(other);
    return compare_states(logged, other);
  };
  EXPECT_EQ(difference([](FederationState&) {}), "");
  EXPECT_EQ(difference([](FederationState& other) { other.time = 20.5; }), "it ends at 20 s, the replay at 20.5 s");
  EXPECT_EQ(difference([](FederationState& other) { other.expected_round = 6; }),
            "it expects a round to take 5 s, the replay 6 s");
  EXPECT_EQ(difference([](FederationState& other) { other.tasks = 10; }), "it gave 9 tasks, the replay 10");
  EXPECT_EQ(difference([](FederationState& other) { other.in_flight[0].delay = 0; }), "others are at work");
  EXPECT_EQ(difference([](FederationState& other) { other.in_flight.clear(); }), "others are at work");
  EXPECT_EQ(difference([](FederationState& other) { other.downlinks[0].digest = 8; }), "others are at work");
  EXPECT_EQ(difference([](FederationState& other) {
              other.downlinks[0].bytes = std::make_shared<const Bytes>(Bytes{1, 3});
            }),
            "others are at work");
}

}  // namespace
}  // namespace anybit
