#include "sim/task_limits.h"

#include <gtest/gtest.h>

#include "tests/sim/hand_fleet.h"

namespace anybit {
namespace {

std::string refusal(const std::string& classes, const std::vector<std::string>& settings = {}) {
  const Federation federation = hand_fleet(classes, settings);
  try {
    check_task_limits(federation);
    return "";
  } catch (const std::exception& error) {
    return error.what();
  }
}

/// A day of 100 s, of which a device is there for so many.
std::string there_for(int seconds) {
  return R"(availability = {name = "diurnal", day = 100, from = 0, to = )" + std::to_string(0.24 * seconds) + "}";
}

// A task takes 2 s.
std::string fast_class(const std::string& more, const std::string& share = "1") {
  return R"({name = "fast", widths = [8], compute = 94080, share = )" + share + ", " + more + "}";
}

TEST(TaskLimits, AreNoMatterWithoutTimes) {
  EXPECT_EQ(refusal(R"({name = "one", share = 1, widths = [8]})"), "");
  EXPECT_NO_THROW(check_task_limits(tiny_federation()));
}

TEST(TaskLimits, RefuseTasksOfMoreThanAYear) {
  // 188,160 FLOPs within 31,536,000 s.
  EXPECT_EQ(refusal(R"({name = "one", share = 1, widths = [8], compute = 0.00597})"), "");
  EXPECT_EQ(refusal(R"({name = "one", share = 1, widths = [8], compute = 0.00596})"),
            "--set fleet.class: fleet.class.compute: a task in the middle of class 'one' takes 3.157e+07 s, 3.157e+07 "
            "of them by compute = 0.00596, and a year, 31536000 s, is the most; give the class more speed, or less to "
            "do (a smaller model, fewer examples or training.epochs)");
}

TEST(TaskLimits, NameEachClassAndItsSlowestKey) {
  const std::string refused = refusal(
      R"({name = "a", share = 0.5, widths = [8], down = 1e-9, up = 1}, {name = "b", share = 0.5, widths = [8], up = 1e-9},
         {name = "nobody", share = 0, widths = [8], up = 1e-9})");
  EXPECT_NE(refused.find("fleet.class.down: a task in the middle of class 'a'"), std::string::npos) << refused;
  EXPECT_NE(refused.find("fleet.class.up: a task in the middle of class 'b'"), std::string::npos) << refused;
  EXPECT_EQ(refused.find("nobody"), std::string::npos) << refused;
}

TEST(TaskLimits, RefuseAFleetThatDropsOutOfAllTasks) {
  EXPECT_EQ(refusal(fast_class("drop_out = 0.999")), "");
  EXPECT_EQ(refusal(fast_class("drop_out = 1")),
            "--set fleet.class: fleet.class.drop_out: none of 20 clients ever answer a task, and a version takes 1 of "
            "them: the others, as those of class 'fast', drop out of all with drop_out = 1; set it below 1");
}

TEST(TaskLimits, RefuseWhereTooFewEverAnswer) {
  const std::string half = fast_class("drop_out = 1", "0.5") + R"(, {name = "good", share = 0.5, widths = [8]})";
  EXPECT_EQ(refusal(half), "");
  EXPECT_NE(refusal(half, {"federation.cohort=20", "federation.minimum=20"}).find(" of 20 clients ever answer a task"),
            std::string::npos);
  const std::string all_at_once = R"(federation.aggregation={name = "fedbuff", concurrency = 1})";
  EXPECT_NE(refusal(half, {"federation.cohort=20", all_at_once}).find("a version takes 20 of them"), std::string::npos);
}

TEST(TaskLimits, RefuseAFleetThatIsNeverThereForATask) {
  EXPECT_EQ(refusal(fast_class(there_for(3))), "");
  const std::string refused = refusal(fast_class(there_for(1)));
  EXPECT_EQ(refused,
            "--set fleet.class: fleet.class.availability: none of 20 clients are there as long as a task takes, and a "
            "version takes 1 of them: the device of class 'fast' that comes nearest is there for 1 s at a stretch at "
            "most, and its task takes 2 s; let it be there for longer, or give it less to do (a smaller model, fewer "
            "examples or training.epochs) or more speed");
}

TEST(TaskLimits, HopeForTheFastestLinks) {
  const std::string links = R"({name = "one", share = 1, widths = [8], down = 10000, link_spread = )";
  EXPECT_NE(refusal(links + "0, " + there_for(1) + "}"), "") << "31,000 bytes";
  EXPECT_EQ(refusal(links + "1, " + there_for(1) + "}"), "") << "exp(3.09) times as fast";
}

TEST(TaskLimits, TellOfOneClassThatIsNeverThereForATask) {
  const std::string classes = fast_class(there_for(1), "0.5") + R"(, {name = "good", share = 0.5, widths = [8]})";
  EXPECT_EQ(refusal(classes), "") << "the other does it";
  const std::vector<std::string> lines = short_stays(hand_fleet(classes));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(
      lines[0].starts_with("class 'fast' never answers: the device that comes nearest is there for 1 s at a "
                           "stretch at most, and its task takes 2 s; let it"))
      << lines[0];
  EXPECT_TRUE(short_stays(hand_fleet(fast_class(there_for(3)))).empty());
}

TEST(TaskLimits, CheckTheDeadlineToo) {
  EXPECT_NE(refusal(fast_class("latency = 0"), {"federation.deadline=1"}).find("nobody can meet it"),
            std::string::npos);
}

}  // namespace
}  // namespace anybit
