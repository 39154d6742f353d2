// Virtual time by hand: fleets of two and three devices whose times are whole numbers of seconds but for their bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "tests/sim/hand_course.h"

namespace anybit {
namespace {

TEST(VirtualTime, IsThatOfTheSlowestOfTwo) {
  // Links take no time: 2 x 1 + 10 s, and 2 x 0.5 + 4 s.
  const std::string slow = device("slow", 0.5, seconds_for(kTaskFlops, 10) + "\nlatency = 1.0");
  const std::string fast = device("fast", 0.5, seconds_for(kTaskFlops, 4) + "\nlatency = 0.5");
  const Federation federation = federation_of(scenario("rounds = 3\ncohort = 2", slow + fast, 2));
  ASSERT_NE(federation.fleet.class_of(0), federation.fleet.class_of(1)) << "one of each, by this seed";
  const Course course = course_of(federation);
  ASSERT_EQ(course.rounds.size(), 3U);
  for (std::size_t round = 0; round < 3; ++round) {
    const RoundRecord& record = course.rounds[round];
    const double begin = 12.0 * static_cast<double>(round);
    EXPECT_NEAR(*record.time, begin + 12, 1e-6);
    ASSERT_EQ(record.tasks.size(), 2U);
    EXPECT_NEAR(record.tasks[0].ended, begin + 5, 1e-6);
    EXPECT_NEAR(record.tasks[0].compute_seconds, 4, 1e-6);
    EXPECT_NEAR(record.tasks[1].ended, begin + 12, 1e-6);
    EXPECT_NEAR(record.tasks[1].sent, begin, 1e-9);
    EXPECT_EQ(record.tasks[1].flops, kTaskFlops);
  }
}

TEST(VirtualTime, CountsTheBytesOfItsFrames) {
  const std::string keys = "down = 1000.0\nup = 500.0";
  const Federation federation = federation_of(scenario("rounds = 1\ncohort = 1", device("one", 1, keys), 1));
  const RoundRecord record = course_of(federation).rounds.at(0);
  const double acknowledgement = static_cast<double>(encode_frame(Acknowledge{}).size());
  const double down = static_cast<double>(record.bytes_down) - acknowledgement;
  EXPECT_GT(down, 4 * 7850);
  EXPECT_LT(down, 4 * 7850 + 200);
  EXPECT_NEAR(*record.time, down / 1000 + static_cast<double>(record.bytes_up) / 500, 1e-9);
  EXPECT_NEAR(record.tasks.at(0).down_seconds, down / 1000, 1e-9);
  EXPECT_EQ(record.tasks.at(0).bytes_up, static_cast<double>(record.bytes_up));
}

/// Three devices of 2, 5 and 20 seconds, whoever has which.
std::string three(const std::string& keys = {}) {
  return device("a", 0.25, seconds_for(kTaskFlops, 2) + "\n" + keys) +
         device("b", 0.25, seconds_for(kTaskFlops, 5) + "\n" + keys) +
         device("c", 0.5, seconds_for(kTaskFlops, 20) + "\n" + keys);
}

/// Of the first seed by which each of the three clients is of a class of its own.
Federation three_devices(const std::string& federation, const std::string& keys = {}) {
  std::string text = scenario(federation, three(keys), 3);
  for (int seed = 1;; ++seed) {
    const std::string other = "seed = " + std::to_string(seed) + "\n";
    text.replace(text.find("seed"), text.find('\n', text.find("seed")) - text.find("seed") + 1, other);
    Federation made = federation_of(text);
    const Fleet& fleet = made.fleet;
    if (fleet.class_of(0) != fleet.class_of(1) && fleet.class_of(1) != fleet.class_of(2) &&
        fleet.class_of(0) != fleet.class_of(2))
      return made;
  }
}

TEST(VirtualTime, OverSelectionLeavesTheStragglerOut) {
  const Course course = course_of(three_devices("rounds = 2\ncohort = 2\nover_selection = 1.5"));
  EXPECT_NEAR(*course.rounds.at(0).time, 5, 1e-6);
  EXPECT_NEAR(*course.rounds.at(1).time, 10, 1e-6);
  const std::vector<TaskRecord>& tasks = course.rounds[0].tasks;
  ASSERT_EQ(tasks.size(), 3U);
  EXPECT_EQ(tasks[2].outcome, TaskOutcome::kReleased);
  EXPECT_NEAR(tasks[2].compute_seconds, 5, 1e-6) << "a quarter of its work";
  EXPECT_NEAR(tasks[2].flops, kTaskFlops / 4, 1);
}

TEST(VirtualTime, TheDeadlineEndsARound) {
  const Course course = course_of(three_devices("rounds = 2\ncohort = 3\ndeadline = 6\nminimum = 2"));
  EXPECT_EQ(*course.rounds.at(0).time, 6);
  EXPECT_EQ(course.rounds[0].report.clients, 2U);
  EXPECT_EQ(course.rounds[0].report.released, 1U);
  const Course strict = course_of(three_devices("rounds = 2\ncohort = 3\ndeadline = 6\nminimum = 3\ngive_up = 2"));
  ASSERT_EQ(strict.rounds.size(), 2U);
  EXPECT_TRUE(strict.rounds[1].report.abandoned);
  EXPECT_EQ(strict.rounds[0].tasks.at(0).outcome, TaskOutcome::kAbandoned) << "its work was for nothing";
  EXPECT_EQ(strict.state.version, 0U);
}

TEST(VirtualTime, AsynchronousVersionsComeWhenClientsAreDone) {
  const Federation federation =
      three_devices("rounds = 6\ncohort = 1\naggregation = { name = \"fedbuff\", concurrency = 3 }");
  const Course course = course_of(federation);
  // All three are at work at any time: a ends at 2, 4, 6, 8, 10, b at 5 and 10, c at 20.
  const std::vector<double> expected = {2, 4, 5, 6, 8, 10};
  ASSERT_EQ(course.rounds.size(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(*course.rounds[i].time, expected[i], 1e-6) << i;
  EXPECT_EQ(course.rounds[2].report.most_stale, 2U) << "b began at version 0 and is done after two";
  EXPECT_EQ(course.rounds[0].report.most_stale, 0U);
}

TEST(VirtualTime, EnergyIsOfWorkBytesAndWaiting) {
  const std::string keys =
      seconds_for(kTaskFlops, 10) + "\nlatency = 1.5\nenergy_flop = 1e-6\nenergy_byte = 1e-4\nidle_power = 2.0";
  const Federation federation = federation_of(scenario("rounds = 1\ncohort = 1", device("one", 1, keys), 1));
  const RoundRecord record = course_of(federation).rounds.at(0);
  const TaskRecord& task = record.tasks.at(0);
  EXPECT_NEAR(task.joules, kTaskFlops * 1e-6 + (task.bytes_down + task.bytes_up) * 1e-4 + 3 * 2.0, 1e-6);
}

TEST(VirtualTime, DropOutsAreLostAndReplaced) {
  const std::string keys = seconds_for(kTaskFlops, 10) + "\ndrop_out = 0.3";
  const Federation federation = federation_of(
      scenario("rounds = 40\ncohort = 5\ndeadline = 100\nreplace_until = 1.0", device("one", 1, keys), 50));
  const Course course = course_of(federation);
  double tasks = 0, lost = 0;
  for (const RoundRecord& record : course.rounds) {
    EXPECT_EQ(record.report.clients, 5U);
    for (const TaskRecord& task : record.tasks) {
      ++tasks;
      if (task.outcome != TaskOutcome::kLost) continue;
      ++lost;
      EXPECT_LT(task.compute_seconds, 10);
    }
  }
  EXPECT_NEAR(lost / tasks, 0.3, 4 * std::sqrt(0.3 * 0.7 / 280)) << "280 tasks, four standard deviations";
}

// Nothing takes time, so a client drops out at the moment at which it would be done.
TEST(VirtualTime, DropOutsNeedNoTime) {
  const auto lost_of = [](const std::string& probability) {
    const Federation federation = federation_of(
        scenario("rounds = 40\ncohort = 5\ngive_up = 3", device("one", 1, "drop_out = " + probability), 50));
    std::pair<double, double> lost_and_all;
    for (const RoundRecord& record : course_of(federation).rounds) {
      const double acknowledgements = record.report.clients * static_cast<double>(encode_frame(Acknowledge{}).size());
      double down = acknowledgements, up = 0;
      for (const TaskRecord& task : record.tasks) {
        lost_and_all.first += task.outcome == TaskOutcome::kLost ? 1 : 0;
        lost_and_all.second += 1;
        down += task.bytes_down;
        up += task.bytes_up;
      }
      EXPECT_EQ(static_cast<double>(record.bytes_down), down);
      EXPECT_EQ(static_cast<double>(record.bytes_up), up) << "who drops out sends nothing";
    }
    return lost_and_all;
  };
  EXPECT_EQ(lost_of("1.0"), std::pair(15.0, 15.0)) << "three rounds are abandoned";
  const auto [lost, all] = lost_of("0.3");
  EXPECT_EQ(all, 200);
  EXPECT_NEAR(lost / all, 0.3, 4 * std::sqrt(0.3 * 0.7 / 200)) << "four standard deviations";
}

TEST(VirtualTime, GoesOnToTheNextArrivalWhereNobodyIsThere) {
  const Federation federation = federation_of(
      scenario("rounds = 2\ncohort = 2", device("one", 1, seconds_for(kTaskFlops, 3600 * 5.0) + kNights), 4));
  const Course course = course_of(federation);
  // At 0:00 all are there, until 6:00: the first round ends at 5:00, the second begins, is cut off at 6:00 and
  // abandoned.
  EXPECT_NEAR(*course.rounds.at(0).time, 5 * 3600, 1e-3);
  EXPECT_NEAR(*course.rounds.at(1).time, 6 * 3600, 1e-3);
  EXPECT_TRUE(course.rounds[1].report.abandoned);
  // The third begins at 22:00.
  EXPECT_NEAR(course.rounds.at(2).report.waited, 16 * 3600, 1e-3);
  EXPECT_NEAR(*course.rounds[2].time, 27 * 3600, 1e-3);
}

TEST(VirtualTime, EndsWhereTooFewAreEverThereAtOnce) {
  const auto hours = [](const char* from, const char* to) {
    return seconds_for(kTaskFlops, 10) + "\navailability = { name = \"diurnal\", from = " + from + ", to = " + to +
           ", zones = [0], jitter = 0.0 }";
  };
  const std::string fleet = device("morning", 0.5, hours("0", "10")) + device("afternoon", 0.5, hours("12", "20"));
  const Federation federation = federation_of(scenario("rounds = 2\ncohort = 2\nminimum = 2", fleet, 2));
  ASSERT_NE(federation.fleet.class_of(0), federation.fleet.class_of(1)) << "one of each, by this seed";
  FederationRun run(federation, federation.first_state(), 1);
  EXPECT_FALSE(run.next_round());
  EXPECT_TRUE(run.gave_up());
  EXPECT_TRUE(run.nobody_left());
}

TEST(VirtualTime, AsksWhetherToStopBeforeItGoesOn) {
  const Federation federation = federation_of(
      scenario("rounds = 2\ncohort = 2", device("one", 1, seconds_for(kTaskFlops, 3600 * 5.0) + kNights), 4));
  std::vector<LoggedEvent> events;
  FederationRun run(federation, federation.first_state(), 1,
                    [&](const LoggedEvent& event) { events.push_back(event); });
  ASSERT_TRUE(run.next_round());
  ASSERT_TRUE(run.next_round());
  const std::size_t before = events.size();
  EXPECT_FALSE(run.next_round([] { return true; }));
  EXPECT_EQ(events.size(), before) << "it waits for 22:00";
}

/// All who are always there are at work but while an update waits: then somebody else is wanted, for a while.
TEST(VirtualTime, GoesOnWithTheSameWakeUps) {
  const std::string nights =
      "\navailability = { name = \"diurnal\", from = 22, to = 6, zones = [0], jitter = 0.0, day = 150 }";
  const std::string keys = seconds_for(kTaskFlops, 60) + "\ncompute_spread = 1.0";
  const auto make = [&](std::size_t concurrency) {
    return federation_of(scenario("rounds = 100\ncohort = 2\naggregation = { name = \"fedbuff\", concurrency = " +
                                      std::to_string(concurrency) + " }",
                                  device("always", 0.6, keys) + device("nights", 0.4, keys + nights), 10));
  };
  const Federation counted = make(1);
  std::size_t always = 0;
  for (std::uint32_t client = 0; client < 10; ++client) always += counted.fleet.class_of(client) == 0 ? 1 : 0;
  const Federation federation = make(always);
  const Course whole = course_of(federation);
  FederationRun run(federation, federation.first_state(), 1);
  std::size_t place = 0;
  while (run.next_round() && !run.finished()) {
    while (whole.events.at(place++).kind != LoggedEvent::Kind::kConcluded) {}
    std::vector<LoggedEvent> events;
    FederationRun rest(federation, run.state(), 1, [&](const LoggedEvent& event) { events.push_back(event); });
    while (rest.next_round()) {}
    const auto expected = std::span(whole.events).subspan(place);
    ASSERT_TRUE(std::ranges::equal(std::span(events).subspan(1), expected)) << "from version " << run.version();
  }
  EXPECT_GT(std::ranges::count(whole.events, LoggedEvent::Kind::kTime, &LoggedEvent::kind), 0);
}

TEST(VirtualTime, PaceSteeringSpreadsThoseWhoCome) {
  const auto with_pace = [](const std::string& pace) {
    return course_of(
        federation_of(scenario("rounds = 3\ncohort = 4\n" + pace, device("one", 1, seconds_for(kTaskFlops, 10)), 20)));
  };
  const Course at_once = with_pace("");
  const Course spread = with_pace("pace = 0.5");
  EXPECT_NEAR(*at_once.rounds.at(2).time, 30, 1e-6);
  EXPECT_NEAR(*spread.rounds.at(0).time, 10, 1e-6) << "nothing is expected of the first round";
  const double second = *spread.rounds.at(1).time - *spread.rounds.at(0).time;
  EXPECT_GT(second, 10) << "the last of four comes by within 5 s";
  EXPECT_LE(second, 15);
  const double third = *spread.rounds.at(2).time - *spread.rounds.at(1).time;
  EXPECT_LE(third, 15) << "how late they came is not expected of the next";
}

}  // namespace
}  // namespace anybit
