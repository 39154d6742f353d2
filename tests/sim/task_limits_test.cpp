#include "sim/task_limits.h"

#include <gtest/gtest.h>

#include "sim/cost_report.h"
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
            "them (federation.minimum = 1): the others, as those of class 'fast', drop out of all with drop_out = 1; "
            "set it below 1");
}

TEST(TaskLimits, RefuseWhereTooFewEverAnswer) {
  const std::string half = fast_class("drop_out = 1", "0.5") + R"(, {name = "good", share = 0.5, widths = [8]})";
  EXPECT_EQ(refusal(half), "");
  EXPECT_NE(refusal(half, {"federation.cohort=20", "federation.minimum=20"}).find(" of 20 clients ever answer a task"),
            std::string::npos);
  const std::string all_at_once = R"(federation.aggregation={name = "fedbuff", concurrency = 1})";
  EXPECT_NE(
      refusal(half, {"federation.cohort=20", all_at_once}).find("a version takes 20 of them (federation.cohort = 20)"),
      std::string::npos);
}

TEST(TaskLimits, RefuseAFleetThatIsNeverThereForATask) {
  EXPECT_EQ(refusal(fast_class(there_for(3))), "");
  const std::string refused = refusal(fast_class(there_for(1)));
  EXPECT_EQ(refused,
            "--set fleet.class: fleet.class.availability: none of 20 clients ever answer a task, and a version takes 1 "
            "of them (federation.minimum = 1): the others are never there as long as a task takes: the device of class "
            "'fast' that comes nearest is there for 1 s at a stretch at "
            "most, and its task takes 2 s; let it be there for longer, or give it less to do (a smaller model, fewer "
            "examples or training.epochs) or more speed");
}

TEST(TaskLimits, HopeForTheFastestLinks) {
  const std::string links = R"({name = "one", share = 1, widths = [8], down = 10000, link_spread = )";
  const std::string refused = refusal(links + "0, " + there_for(1) + "}");
  EXPECT_NE(refused.find("is there for 1 s"), std::string::npos) << refused << "; 31,000 bytes";
  EXPECT_EQ(refusal(links + "1, " + there_for(1) + "}"), "") << "exp(3.09) times as fast";
}

TEST(TaskLimits, TellOfOneClassThatIsNeverThereForATask) {
  const std::string classes = fast_class(there_for(1), "0.5") + R"(, {name = "good", share = 0.5, widths = [8]})";
  EXPECT_EQ(refusal(classes), "") << "the other does it";
  const std::vector<std::string> lines = silent_classes(hand_fleet(classes));
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_TRUE(
      lines[0].starts_with("class 'fast' never answers: the device that comes nearest is there for 1 s at a "
                           "stretch at most, and its task takes 2 s; let it"))
      << lines[0];
  EXPECT_TRUE(silent_classes(hand_fleet(fast_class(there_for(3)))).empty());
}

TEST(TaskLimits, AskForOneClientWithoutAnyObstacle) {
  const auto in_time = [](const std::string& share, const std::string& more) {
    return refusal(fast_class("drop_out = 1", share) + more, {"federation.deadline=5"});
  };
  const std::string slow = R"(, {name = "slow", widths = [8], latency = 3, share = )";
  const std::string few_slow = in_time("0.8", slow + "0.2}");
  EXPECT_NE(few_slow.find("fleet.class.drop_out: none of 20 clients ever answer a task"), std::string::npos)
      << few_slow;
  EXPECT_NE(few_slow.find(" of the others, as those of class 'fast', drop out"), std::string::npos) << few_slow;
  const std::string many_slow = in_time("0.2", slow + "0.8}");
  EXPECT_NE(many_slow.find("federation.deadline: none of 20 clients ever answer a task"), std::string::npos)
      << many_slow;
  EXPECT_NE(many_slow.find(" of the others cannot meet it: the fastest device of them"), std::string::npos)
      << many_slow;
  EXPECT_NE(many_slow.find("of class 'slow', takes 6 s for a task; allow"), std::string::npos) << many_slow;
  EXPECT_EQ(in_time("0.5", slow + R"(0.25}, {name = "good", widths = [8], latency = 2, share = 0.25})"), "");
}

TEST(TaskLimits, NameNoClassForItsStaysThatDropsOutOfAllTasks) {
  const std::string nearer = fast_class("drop_out = 1, " + there_for(1), "0.2");
  const std::string other = R"(, {name = "slow", share = 0.8, widths = [8], latency = 10, )" + there_for(1) + "}";
  const std::string refused = refusal(nearer + other);
  EXPECT_NE(refused.find(" of the others are never there as long as a task takes: the device of class 'slow'"),
            std::string::npos)
      << refused;
  const std::vector<std::string> lines = silent_classes(hand_fleet(nearer + other));
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0], "class 'fast' never answers: its devices drop out of every task (drop_out = 1)");
  EXPECT_TRUE(lines[1].starts_with("class 'slow' never answers: the device that comes nearest")) << lines[1];
}

/// 2 x 0.5 + 2 s, and 20 s.
constexpr const char* kThreeAndTwentySeconds =
    "{name = \"fast\", share = 0.5, widths = [8], compute = 94080, latency = 0.5}, "
    "{name = \"slow\", share = 0.5, widths = [8], compute = 9408}";

/// How many of the twenty clients are of the first class.
std::uint32_t fast_ones(std::uint32_t clients = 20) {
  const Federation federation = hand_fleet(kThreeAndTwentySeconds);
  std::uint32_t count = 0;
  for (std::uint32_t client = 0; client < clients; ++client) count += federation.fleet.class_of(client) == 0 ? 1 : 0;
  return count;
}

std::string first_fast() {
  const Federation federation = hand_fleet(kThreeAndTwentySeconds);
  std::uint32_t client = 0;
  while (federation.fleet.class_of(client) != 0) ++client;
  return std::to_string(client);
}

TEST(Deadline, IsRefusedWhereNobodyCanMeetIt) {
  EXPECT_EQ(refusal(kThreeAndTwentySeconds, {"federation.deadline=3"}), "");
  EXPECT_EQ(refusal(kThreeAndTwentySeconds, {"federation.deadline=2.9"}),
            "--set federation.deadline: none of 20 clients ever answer a task, and a version takes 1 of them "
            "(federation.minimum = 1): the others cannot meet it: the fastest device of them, client " +
                first_fast() +
                "'s of class 'fast', takes 3 s for a task; allow more, or give the devices less to do (a smaller "
                "model, fewer examples or training.epochs) or more speed");
  EXPECT_EQ(refusal(kThreeAndTwentySeconds, {"federation.deadline=0"}), "") << "there is none";
  EXPECT_NE(refusal(kThreeAndTwentySeconds, {"federation.deadline=3", "training.epochs=2"}), "");
}

TEST(Deadline, IsRefusedWhereTooFewCanMeetIt) {
  const std::uint32_t fast = fast_ones();
  ASSERT_GT(fast, 1U);
  ASSERT_LT(fast, 19U);
  const auto with_minimum = [&](std::uint32_t minimum, const std::string& deadline) {
    return refusal(kThreeAndTwentySeconds, {"federation.cohort=20", "federation.minimum=" + std::to_string(minimum),
                                            "federation.deadline=" + deadline});
  };
  EXPECT_EQ(with_minimum(fast, "3"), "");
  EXPECT_EQ(with_minimum(fast + 1, "20"), "");
  const std::string one_more = with_minimum(fast + 1, "19.9");
  EXPECT_TRUE(one_more.starts_with("--set federation.deadline: only " + std::to_string(fast) +
                                   " of 20 clients ever answer a task, and a version takes " +
                                   std::to_string(fast + 1) + " of them (federation.minimum = "))
      << one_more;
  EXPECT_NE(one_more.find("of class 'slow', takes 20 s for a task; allow"), std::string::npos) << one_more;
  const std::string two_more = with_minimum(fast + 2, "19.9");
  EXPECT_NE(two_more.find("takes 20 s for a task, and with 20 s there are enough; allow"), std::string::npos)
      << two_more;
}

TEST(Deadline, NamesItsLine) {
  std::string text = kTinyScenario;
  text.replace(text.find("cohort = 3"), 10, "cohort = 3\ndeadline = 0.5");
  text += "[[fleet.class]]\nname = \"one\"\nshare = 1\nwidths = [8]\nlatency = 1\n";
  const Federation federation = make_federation(resolve_scenario(parse_scenario(text, "a.toml", {}), {}).scenario, {});
  try {
    check_task_limits(federation);
    FAIL();
  } catch (const ScenarioError& error) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find("deadline")), '\n');
    const std::string refused = error.what();
    EXPECT_TRUE(refused.starts_with("a.toml:" + std::to_string(line + 1) + ": federation.deadline: none of "))
        << refused;
    EXPECT_NE(refused.find("client 0's of class 'one', takes 2 s"), std::string::npos) << refused;
  }
}

// A frame takes a second each way.
TEST(Deadline, CountsTheBytes) {
  const FrameBytes frame = frame_bytes(hand_fleet("{name = \"one\", share = 1, widths = [8]}"));
  const std::string classes = "{name = \"one\", share = 1, widths = [8], down = " + std::to_string(frame.task) +
                              ", up = " + std::to_string(frame.update);
  EXPECT_EQ(refusal(classes + "}", {"federation.deadline=2"}), "");
  EXPECT_NE(refusal(classes + "}", {"federation.deadline=1.99"}), "");
  // exp(3.09 x 0.5) = 4.688 times as fast, so 0.4266 s.
  EXPECT_EQ(refusal(classes + ", link_spread = 0.5}", {"federation.deadline=0.427"}), "")
      << "some tasks will be in time";
  const std::string refused = refusal(classes + ", link_spread = 0.5}", {"federation.deadline=0.426"});
  EXPECT_NE(refused.find("cannot meet it, even with links as fast as one task in a thousand finds them: the fastest "
                         "device of them, client 0's of class 'one', takes 0.427 s"),
            std::string::npos)
      << refused;
}

TEST(Deadline, GoesByTheFastestDeviceOfAClass) {
  const std::string classes = "{name = \"one\", share = 1, widths = [8], compute = 94080, compute_spread = 1.0}";
  const Federation federation = hand_fleet(classes);
  double fastest = 0;
  for (std::uint32_t client = 0; client < 20; ++client) fastest = std::max(fastest, federation.fleet.compute(client));
  ASSERT_GT(fastest, 94080);
  const double seconds = kTaskFlops / fastest;
  EXPECT_EQ(refusal(classes, {"federation.deadline=" + std::to_string(seconds * 1.01)}), "");
  EXPECT_NE(refusal(classes, {"federation.deadline=" + std::to_string(seconds * 0.99)}), "");
}

// Half of 40,000 clients can; of the first 10,000 a quarter of the minimum is asked.
TEST(Deadline, OfALargeFleetLooksAtTheFirst) {
  const auto with_minimum = [&](const std::string& minimum) {
    return refusal(kThreeAndTwentySeconds, {"data.clients=40000", "federation.cohort=40000",
                                            "federation.minimum=" + minimum, "federation.deadline=3"});
  };
  const std::uint32_t fast = fast_ones(10'000);
  EXPECT_EQ(with_minimum(std::to_string(4 * fast)), "");
  const std::string refused = with_minimum(std::to_string(4 * fast + 1));
  EXPECT_NE(refused.find("only " + std::to_string(fast) + " of the first 10000 clients ever answer"), std::string::npos)
      << refused;
  const std::string none = refusal(kThreeAndTwentySeconds, {"data.clients=40000", "federation.deadline=2.9"});
  EXPECT_NE(none.find("none of the first 10000 clients ever answer"), std::string::npos) << none;
}

TEST(Deadline, IsNoMatterWithoutTimes) {
  EXPECT_EQ(refusal("{name = \"one\", share = 1, widths = [8]}", {"federation.deadline=0.001"}), "");
  EXPECT_NO_THROW(check_task_limits(tiny_federation({"federation.deadline=0.001"})));
}

TEST(Deadline, OfAsynchronousTasksIsRefusedWhereTooFewForAVersionCanMeetIt) {
  const auto with_cohort = [](std::uint32_t cohort, const std::string& deadline) {
    return refusal(kThreeAndTwentySeconds,
                   {"federation.cohort=" + std::to_string(cohort), "federation.deadline=" + deadline,
                    "federation.aggregation={name = \"fedbuff\", concurrency = 1}"});
  };
  EXPECT_NE(with_cohort(1, "2.9").find("none of 20 clients ever answer"), std::string::npos);
  EXPECT_EQ(with_cohort(fast_ones(), "3"), "");
  const std::string refused = with_cohort(fast_ones() + 1, "3");
  EXPECT_NE(refused.find(" of them (federation.cohort = " + std::to_string(fast_ones() + 1) + ")"), std::string::npos)
      << refused;
}

}  // namespace
}  // namespace anybit
