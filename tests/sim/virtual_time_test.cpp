// Virtual time by hand: fleets of two and three devices whose times are whole numbers of seconds but for their bytes.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <span>

#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

/// A logistic model of 784 x 10: 2 x 784 x 10 FLOPs forward for an example, so that with four examples a task has
/// 3 x 4 of them. Bytes: 7,850 float32 each way and a frame around them.
constexpr double kTaskFlops = 3 * 4 * (2 * 784 * 10);

/// Client k belongs to the class that the draw gives it; times are told by class.
std::string scenario(const std::string& federation, const std::string& fleet, int clients) {
  return "name = \"hand\"\nseed = 3\n[data]\nset = \"glyphs\"\nclients = " + std::to_string(clients) +
         "\nexamples = 4\npartition = \"writer\"\n[model]\nname = \"logistic\"\n[training]\nbatch = 4\n"
         "optimizer = { name = \"sgd\", rate = 0.1 }\n[federation]\n" +
         federation + "\n" + fleet + "\n[evaluate]\nweights = [32]\n";
}

Federation federation_of(const std::string& text) {
  return make_federation(resolve_scenario(parse_scenario(text, "hand.toml", {}), {}).scenario, {});
}

std::string device(const std::string& name, double share, const std::string& keys) {
  return "[[fleet.class]]\nname = \"" + name + "\"\nshare = " + std::to_string(share) + "\nwidths = [8]\n" + keys +
         "\n";
}

struct Course {
  std::vector<RoundRecord> rounds;
  std::vector<LoggedEvent> events;
  FederationState state;
};

Course course_of(const Federation& federation, int threads = 1) {
  Course course;
  FederationRun run(federation, federation.first_state(), threads,
                    [&](const LoggedEvent& event) { course.events.push_back(event); });
  while (auto record = run.next_round()) {
    record->seconds = 0;
    course.rounds.push_back(std::move(*record));
  }
  course.state = run.state();
  return course;
}

std::string seconds_for(double flops, double seconds) { return "compute = " + std::to_string(flops / seconds); }

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

constexpr const char* kNights = "\navailability = { name = \"diurnal\", from = 22, to = 6, zones = [0], jitter = 0.0 }";

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

/// Sends and receives in no time, so a task's bytes are counted whole or not at all.
void expect_charged_as_sent(const Course& course, TaskOutcome outcome) {
  const auto acknowledgement = static_cast<double>(encode_frame(Acknowledge{}).size());
  int free = 0, charged = 0;
  for (const RoundRecord& record : course.rounds) {
    double down = record.report.clients * acknowledgement;
    for (const TaskRecord& task : record.tasks) {
      down += task.bytes_down;
      if (task.outcome != outcome) continue;
      ++(task.bytes_down == 0 ? free : charged);
      if (task.bytes_down > 0) continue;
      EXPECT_EQ(task.flops, 0);
      EXPECT_EQ(task.joules, 0);
    }
    EXPECT_EQ(static_cast<double>(record.bytes_down), down) << record.report.round;
  }
  EXPECT_GT(free, 0);
  EXPECT_GT(charged, 0);
}

TEST(VirtualTime, ChargesNothingForATaskThatIsReleasedBeforeItsClientCame) {
  const std::string keys = "\nenergy_byte = 1.0\nidle_power = 1.0";
  const std::string fast_and_slow =
      device("fast", 0.5, seconds_for(kTaskFlops, 1) + keys) + device("slow", 0.5, seconds_for(kTaskFlops, 100) + keys);
  const Federation federation =
      federation_of(scenario("rounds = 40\ncohort = 4\nover_selection = 1.5\npace = 1.0", fast_and_slow, 50));
  expect_charged_as_sent(course_of(federation), TaskOutcome::kReleased);
}

// There for the first 100 of 200 seconds, and asked to come by until 50 seconds later.
TEST(VirtualTime, ChargesNothingForAClientThatIsGoneBeforeItComes) {
  const std::string keys =
      seconds_for(kTaskFlops, 40) +
      "\nenergy_byte = 1.0\nidle_power = 1.0\n"
      "availability = { name = \"diurnal\", from = 0, to = 12, zones = [0], jitter = 0.0, day = 200.0 }";
  const Federation federation =
      federation_of(scenario("rounds = 40\ncohort = 10\npace = 1.0", device("one", 1, keys), 50));
  expect_charged_as_sent(course_of(federation), TaskOutcome::kLost);
}

const std::string kLearned = "method = { name = \"mqat\", widths = [8, 4, 2], range = \"learned\" }\n";

/// With a method whose updates name the steps of those widths alone that were trained.
std::string learned(std::string text) { return text.insert(text.find("optimizer ="), kLearned); }

TEST(VirtualTime, AnUploadThatIsCutOffHasSentItsShare) {
  const auto first_task = [](const std::string& keys) {
    const Federation federation =
        federation_of(learned(scenario("rounds = 1\ncohort = 1\ngive_up = 1", device("one", 1, keys), 1)));
    return course_of(federation).rounds.at(0).tasks.at(0);
  };
  const double whole = first_task("latency = 1.0").bytes_up;
  const double least =
      TaskCosts(federation_of(learned(scenario("rounds = 1\ncohort = 1", device("one", 1, ""), 1)))).least_update();
  ASSERT_GT(whole, least + 4);
  // Half of the steps are over when the client leaves after an hour; so are all of the others.
  const double sent = (whole + least) / 2;
  const TaskRecord task =
      first_task("energy_byte = 1.0\nup = " + std::to_string(sent / 3600) +
                 "\navailability = { name = \"diurnal\", from = 0, to = 1, zones = [0], jitter = 0.0 }");
  EXPECT_EQ(task.outcome, TaskOutcome::kLost);
  EXPECT_EQ(task.ended, 3600);
  EXPECT_NEAR(task.bytes_up, sent, 0.01) << "the scenario names the speed with six digits";
  EXPECT_NEAR(task.joules, task.bytes_down + sent, 0.01);
}

/// A fleet in which everything happens: spreads, drop-outs, nights.
std::string uneven(const std::string& federation, const std::string& up = "2e4") {
  const std::string keys = seconds_for(kTaskFlops, 60) +
                           "\ncompute_spread = 1.0\nlink_spread = 0.5\ndown = 1e5\nup = " + up +
                           "\nlatency = 0.1\n"
                           "drop_out = 0.1\nenergy_flop = 1e-9\nenergy_byte = 1e-7\nidle_power = 0.1";
  return scenario(federation, device("always", 0.6, keys) + device("nights", 0.4, keys + kNights), 40);
}

const std::string kSynchronous =
    uneven("rounds = 8\ncohort = 5\nover_selection = 1.4\ndeadline = 600\nreplace_until = 0.5");
const std::string kBuffered = uneven(
    "rounds = 8\ncohort = 5\ndeadline = 600\naggregation = { name = \"fedbuff\", concurrency = 12, max_staleness = 2 "
    "}");
const std::string kEach = uneven(
    "rounds = 30\ncohort = 1\npace = 0.5\naggregation = { name = \"fedasync\", concurrency = 7, discount = \"hinge\" "
    "}");
/// The size of an update is known when it was trained, and its few bytes more take seconds.
const std::string kLearnedSteps =
    learned(uneven("rounds = 8\ncohort = 10\nover_selection = 2\ndeadline = 9000", "20.0"));
const std::string kLearnedStepsEach =
    learned(uneven("rounds = 30\ncohort = 1\naggregation = { name = \"fedasync\", concurrency = 7 }", "2.0"));

class Uneven : public testing::TestWithParam<std::string> {};

std::vector<std::string> lines_of(const Course& course, const Federation& federation) {
  std::vector<std::string> lines;
  for (const LoggedEvent& event : course.events) lines.push_back(to_line(event));
  std::vector<std::string> classes;
  for (const FleetClass& one : federation.fleet.classes()) classes.push_back(one.name);
  for (const RoundRecord& record : course.rounds) {
    for (const TaskRecord& task : record.tasks) {
      lines.push_back(tasks_line(task, classes));
      for (const double whole : {task.ended, task.up_seconds, task.bytes_up, task.joules})
        lines.push_back(std::to_string(std::bit_cast<std::uint64_t>(whole)));
    }
  }
  return lines;
}

TEST_P(Uneven, EndsInTheSameBitsWithAnyNumberOfThreads) {
  const Federation federation = federation_of(GetParam());
  const Course one = course_of(federation, 1);
  for (const int threads : {2, 5}) {
    const Course many = course_of(federation, threads);
    EXPECT_EQ(many.state.global.values, one.state.global.values) << threads;
    EXPECT_EQ(lines_of(many, federation), lines_of(one, federation)) << threads;
  }
  EXPECT_EQ(one.state.version, static_cast<std::uint32_t>(federation.scenario.federation.rounds));
}

TEST_P(Uneven, GoesOnFromAnyVersion) {
  const Federation federation = federation_of(GetParam());
  const Course whole = course_of(federation);
  FederationRun run(federation, federation.first_state(), 1);
  std::vector<FederationState> states;
  while (run.next_round()) states.push_back(run.state());
  for (std::size_t i = 0; i + 1 < states.size(); i += 3) {
    FederationRun rest(federation, states[i], 1);
    std::size_t round = i + 1;
    while (auto record = rest.next_round()) {
      record->seconds = 0;
      EXPECT_EQ(metrics_line(*record), metrics_line(whole.rounds.at(round++)));
    }
    EXPECT_EQ(rest.state().global.values, whole.state.global.values) << i;
    EXPECT_EQ(rest.state().time, whole.state.time) << i;
  }
}

TEST_P(Uneven, AnswersAreThereWhenTheyWereSent) {
  const Federation federation = federation_of(GetParam());
  std::size_t counted = 0;
  for (const RoundRecord& record : course_of(federation).rounds) {
    for (const TaskRecord& task : record.tasks) {
      if (task.outcome != TaskOutcome::kCounted) continue;
      ++counted;
      const double comes_by = task.ended - 2 * 0.1 - task.down_seconds - task.compute_seconds - task.up_seconds;
      if (federation.scenario.federation.policy.pace > 0)
        EXPECT_GE(comes_by, task.sent - 1e-6);
      else
        EXPECT_NEAR(comes_by, task.sent, 1e-6);
    }
  }
  EXPECT_GE(counted, 30U);
}

INSTANTIATE_TEST_SUITE_P(All, Uneven,
                         testing::Values(kSynchronous, kBuffered, kEach, kLearnedSteps, kLearnedStepsEach));

}  // namespace
}  // namespace anybit
