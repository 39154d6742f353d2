#include "sim/fleet_report.h"

#include <gtest/gtest.h>

#include "tests/sim/hand_fleet.h"

namespace anybit {
namespace {

// 188,160 FLOPs, a kilobyte down and half of one up.
std::string report(const std::string& classes, const std::vector<std::string>& settings = {}) {
  return fleet_report(hand_fleet(classes, settings), 4, {.task = 1000, .update = 500});
}

constexpr const char* kTwoClasses =
    "{name = \"phone\", share = 0.75, widths = [8], compute = 94080, down = 500, up = 250, latency = 0.25, "
    "compute_spread = 1, link_spread = 1, energy_flop = 1e-6, energy_byte = 1e-3, idle_power = 2, drop_out = 0.05}, "
    "{name = \"gateway\", share = 0.25, widths = [32], compute = 18816, availability = \"diurnal\"}";

TEST(FleetReport, SaysWhatATaskTakesOnEachClass) {
  // phone: 0.188 J of FLOPs, 1.5 of bytes, and two watts for all but the two seconds of computing.
  EXPECT_EQ(report(kTwoClasses),
            "fleet                 a task of 4 examples in the middle of each class: seconds (with both latencies) and "
            "joules\n"
            "  class      share   seconds      down   compute        up    joules  drop-out  availability\n"
            "  phone       0.75       6.5         2         2         2     10.69      0.05  always\n"
            "  gateway     0.25        10         0        10         0         0         0  diurnal\n"
            "time of a round       about 10 s, as long as a task in the middle of class 'gateway', the slowest\n");
}

TEST(FleetReport, KnowsThatARoundEndsAtItsDeadline) {
  const std::string ends = report(kTwoClasses, {"federation.deadline=8"});
  EXPECT_NE(ends.find("time of a round       8 s, its deadline; a task of class 'gateway' takes 10 s\n"),
            std::string::npos)
      << ends;
  EXPECT_NE(report(kTwoClasses, {"federation.deadline=12"}).find("10 s, as long as"), std::string::npos);
}

TEST(FleetReport, LeavesAClassOutOfARoundThatNobodyIsOf) {
  const std::string rounds = report(
      "{name = \"all\", share = 1, widths = [8], latency = 1}, {name = \"none\", share = 0, widths = [8], "
      "latency = 9}");
  EXPECT_NE(rounds.find("2 s, as long as a task in the middle of class 'all'"), std::string::npos) << rounds;
}

TEST(FleetReport, KnowsThatClientsComeSpreadOverARound) {
  const auto line = [](const std::vector<std::string>& settings) {
    const std::string text = report(kTwoClasses, settings);
    return text.substr(text.find("time of a round"));
  };
  EXPECT_EQ(
      line({"federation.pace=0.5"}),
      "time of a round       about 10 to 15 s: a task in the middle of class 'gateway', the slowest, and up to 5 s "
      "until its client comes by (federation.pace)\n");
  EXPECT_TRUE(line({"federation.pace=0.5", "federation.deadline=12"})
                  .starts_with("time of a round       about 10 to 12 s, its deadline: a task"));
}

std::string version(const std::string& classes, std::vector<std::string> settings = {}) {
  settings.insert(settings.end(),
                  {"federation.cohort=2", "federation.aggregation={name = \"fedbuff\", concurrency = 4}"});
  const std::string text = report(classes, settings);
  EXPECT_EQ(text.find("time of a round"), std::string::npos) << "there are none";
  return text.substr(text.find("time of a version"));
}

TEST(FleetReport, SaysHowLongAnAsynchronousVersionTakes) {
  const std::string classes =
      "{name = \"a\", share = 0.75, widths = [8], latency = 1}, {name = \"b\", share = 0.25, widths = [8], latency = "
      "5}";
  EXPECT_EQ(version(classes),
            "time of a version     about 2 s: 2 updates, of 4 clients at work who take 4 s for each\n");
  // Three answers in four, each after 2 s; the fourth is given up after 6.
  EXPECT_EQ(version(classes, {"federation.deadline=6"}),
            "time of a version     about 2 s: 2 updates, of 4 clients at work who take 4 s for each\n");
  EXPECT_NE(version(classes, {"federation.deadline=9"}).find("about 2.5 s"), std::string::npos);
  EXPECT_EQ(version(classes, {"federation.deadline=1"}),
            "time of a version     not known: the device in the middle of no class answers in time\n");
  EXPECT_NE(version(classes, {"federation.pace=0.4"}).find("about 3 s"), std::string::npos) << "2 s later on the mean";
}

TEST(FleetReport, CountsWhoDropsOutOfAVersionHalfWay) {
  // Of two tasks one is answered after 4 s, the other given up after 2.
  EXPECT_NE(
      version("{name = \"a\", share = 1, widths = [8], latency = 2, drop_out = 0.5}").find("who take 6 s for each"),
      std::string::npos);
}

TEST(FleetReport, LeavesAClassOutOfAVersionThatNobodyIsOf) {
  // 188,160 FLOPs at that speed take longer than a double holds.
  EXPECT_EQ(version("{name = \"a\", share = 1, widths = [8], latency = 2}, "
                    "{name = \"none\", share = 0, widths = [8], compute = 1e-305}"),
            "time of a version     about 2 s: 2 updates, of 4 clients at work who take 4 s for each\n");
}

TEST(FleetReport, TellsOfAClassThatIsNeverThereForATask) {
  const std::string text = report(
      "{name = \"a\", share = 0.5, widths = [8], latency = 3, availability = {name = \"diurnal\", day = 100, from = 0, "
      "to = 1.2}}, {name = \"b\", share = 0.5, widths = [8]}");
  EXPECT_NE(text.find("\n  class 'a' never answers: the device that comes nearest is there for 5 s"), std::string::npos)
      << text;
}

TEST(FleetReport, CountsEnergyWhereNothingTakesTime) {
  const std::string text = report("{name = \"one\", share = 1, widths = [8], energy_byte = 0.5}");
  EXPECT_NE(text.find("joules"), std::string::npos);
}

TEST(FleetReport, IsEmptyWhereDevicesTakeNoTime) {
  EXPECT_EQ(report("{name = \"one\", share = 1, widths = [8]}"), "");
  EXPECT_EQ(fleet_report(tiny_federation(), 4, {}), "");
}

TEST(FleetReport, StandsInTheCostReport) {
  const std::string text = cost_report(hand_fleet(kTwoClasses), 1);
  EXPECT_NE(text.find("a task of 4 examples"), std::string::npos) << text;
  EXPECT_NE(text.find("time of a round"), std::string::npos) << text;
}

}  // namespace
}  // namespace anybit
