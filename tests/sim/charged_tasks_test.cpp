// What tasks cost that were cut off, by hand: their bytes, work and energy.
#include <gtest/gtest.h>

#include "tests/sim/hand_course.h"

namespace anybit {
namespace {

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

TEST(ChargedTasks, ChargesNothingForATaskThatIsReleasedBeforeItsClientCame) {
  const std::string keys = "\nenergy_byte = 1.0\nidle_power = 1.0";
  const std::string fast_and_slow =
      device("fast", 0.5, seconds_for(kTaskFlops, 1) + keys) + device("slow", 0.5, seconds_for(kTaskFlops, 100) + keys);
  const Federation federation =
      federation_of(scenario("rounds = 40\ncohort = 4\nover_selection = 1.5\npace = 1.0", fast_and_slow, 50));
  expect_charged_as_sent(course_of(federation), TaskOutcome::kReleased);
}

// There for the first 100 of 200 seconds, and asked to come by until 50 seconds later.
TEST(ChargedTasks, ChargesNothingForAClientThatIsGoneBeforeItComes) {
  const std::string keys =
      seconds_for(kTaskFlops, 40) +
      "\nenergy_byte = 1.0\nidle_power = 1.0\n"
      "availability = { name = \"diurnal\", from = 0, to = 12, zones = [0], jitter = 0.0, day = 200.0 }";
  const Federation federation =
      federation_of(scenario("rounds = 40\ncohort = 10\npace = 1.0", device("one", 1, keys), 50));
  expect_charged_as_sent(course_of(federation), TaskOutcome::kLost);
}

TEST(ChargedTasks, AnUploadThatIsCutOffHasSentItsShare) {
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

}  // namespace
}  // namespace anybit
