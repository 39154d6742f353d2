// Whole runs in virtual time of a fleet in which everything happens, in rounds and asynchronously.
#include <gtest/gtest.h>

#include <bit>

#include "tests/sim/hand_course.h"

namespace anybit {
namespace {

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
