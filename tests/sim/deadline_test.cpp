#include "sim/deadline.h"

#include <gtest/gtest.h>

#include "sim/cost_report.h"
#include "tests/sim/hand_fleet.h"

namespace anybit {
namespace {

std::string refusal(const std::string& classes, const std::vector<std::string>& settings) {
  const Federation federation = hand_fleet(classes, settings);
  try {
    check_deadline(federation);
    return "";
  } catch (const ScenarioError& error) {
    return error.what();
  }
}

/// 2 x 0.5 + 2 s, and 20 s.
constexpr const char* kFastAndSlow =
    "{name = \"fast\", share = 0.5, widths = [8], compute = 94080, latency = 0.5}, "
    "{name = \"slow\", share = 0.5, widths = [8], compute = 9408}";

/// How many of the twenty clients are of the first class.
std::uint32_t fast_ones(std::uint32_t clients = 20) {
  const Federation federation = hand_fleet(kFastAndSlow);
  std::uint32_t count = 0;
  for (std::uint32_t client = 0; client < clients; ++client) count += federation.fleet.class_of(client) == 0 ? 1 : 0;
  return count;
}

std::string first_fast() {
  const Federation federation = hand_fleet(kFastAndSlow);
  std::uint32_t client = 0;
  while (federation.fleet.class_of(client) != 0) ++client;
  return std::to_string(client);
}

TEST(Deadline, IsRefusedWhereNobodyCanMeetIt) {
  EXPECT_EQ(refusal(kFastAndSlow, {"federation.deadline=3"}), "");
  EXPECT_EQ(refusal(kFastAndSlow, {"federation.deadline=2.9"}),
            "--set federation.deadline: nobody can meet it: the fastest device, client " + first_fast() +
                "'s of class 'fast', takes 3 s for a task; allow more, or give the devices less to do (a smaller "
                "model, fewer examples or training.epochs) or more speed");
  EXPECT_EQ(refusal(kFastAndSlow, {"federation.deadline=0"}), "") << "there is none";
  EXPECT_NE(refusal(kFastAndSlow, {"federation.deadline=3", "training.epochs=2"}), "");
}

TEST(Deadline, IsRefusedWhereTooFewCanMeetIt) {
  const std::uint32_t fast = fast_ones();
  ASSERT_GT(fast, 1U);
  ASSERT_LT(fast, 19U);
  const auto with_minimum = [&](std::uint32_t minimum, const std::string& deadline) {
    return refusal(kFastAndSlow, {"federation.cohort=20", "federation.minimum=" + std::to_string(minimum),
                                  "federation.deadline=" + deadline});
  };
  EXPECT_EQ(with_minimum(fast, "3"), "");
  EXPECT_EQ(with_minimum(fast + 1, "20"), "");
  EXPECT_EQ(with_minimum(fast + 1, "19.9"), "--set federation.deadline: only " + std::to_string(fast) +
                                                " of 20 clients can meet it, too few for federation.minimum, " +
                                                std::to_string(fast + 1) +
                                                ": with 20 s there are enough; allow that, or ask for fewer");
}

TEST(Deadline, NamesItsLine) {
  std::string text = kTinyScenario;
  text.replace(text.find("cohort = 3"), 10, "cohort = 3\ndeadline = 0.5");
  text += "[[fleet.class]]\nname = \"one\"\nshare = 1\nwidths = [8]\nlatency = 1\n";
  const Federation federation = make_federation(resolve_scenario(parse_scenario(text, "a.toml", {}), {}).scenario, {});
  try {
    check_deadline(federation);
    FAIL();
  } catch (const ScenarioError& error) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find("deadline")), '\n');
    EXPECT_TRUE(std::string(error.what())
                    .starts_with("a.toml:" + std::to_string(line + 1) +
                                 ": federation.deadline: nobody can meet it: "
                                 "the fastest device, client 0's of class 'one', takes 2 s"))
        << error.what();
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
  EXPECT_NE(
      refused.find("nobody can meet it, even with links as fast as one task in a thousand finds them: the fastest "
                   "device, client 0's of class 'one', takes 0.427 s"),
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
    return refusal(kFastAndSlow, {"data.clients=40000", "federation.cohort=40000", "federation.minimum=" + minimum,
                                  "federation.deadline=3"});
  };
  const std::uint32_t fast = fast_ones(10'000);
  EXPECT_EQ(with_minimum(std::to_string(4 * fast)), "");
  const std::string refused = with_minimum(std::to_string(4 * fast + 1));
  EXPECT_NE(refused.find("only " + std::to_string(fast) + " of the first 10000 clients can meet it"), std::string::npos)
      << refused;
  const std::string none = refusal(kFastAndSlow, {"data.clients=40000", "federation.deadline=2.9"});
  EXPECT_NE(none.find("none of the first 10000 clients can meet it: the fastest device"), std::string::npos) << none;
}

TEST(Deadline, IsNoMatterWithoutTimes) {
  EXPECT_EQ(refusal("{name = \"one\", share = 1, widths = [8]}", {"federation.deadline=0.001"}), "");
  EXPECT_NO_THROW(check_deadline(tiny_federation({"federation.deadline=0.001"})));
}

TEST(Deadline, OfAsynchronousTasksIsRefusedLikewise) {
  const std::vector<std::string> settings = {"federation.cohort=1", "federation.deadline=2.9",
                                             "federation.aggregation={name = \"fedbuff\", concurrency = 3}"};
  EXPECT_NE(refusal(kFastAndSlow, settings).find("nobody can meet it"), std::string::npos);
}

}  // namespace
}  // namespace anybit
