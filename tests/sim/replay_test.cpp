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

TEST_F(ReplayTest, ComparesStatesByteForByte) {
  FederationState other = logged;
  EXPECT_EQ(compare_states(logged, other), "");
  other.global.values[7] = -other.global.values[7];
  EXPECT_EQ(compare_states(logged, other), "its parameters differ");
  other.version = 1;
  EXPECT_EQ(compare_states(logged, other), "it ends at round 4, the replay at round 1");
}

}  // namespace
}  // namespace anybit
