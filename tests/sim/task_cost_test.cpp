#include "sim/task_cost.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "sim/cost_report.h"
#include "tests/sim/hand_fleet.h"

namespace anybit {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TaskId task(std::uint32_t round, std::uint32_t client) { return {1, round, client}; }

TEST(TaskTimes, AreCutInTheOrderOfTheirPhases) {
  // From 0 latency, from 1 down, from 3 compute, from 7 latency again, from 8 up, until 11.
  const TaskTimes whole{.latency = 1, .down = 2, .compute = 4, .up = 3};
  EXPECT_EQ(whole.total(), 11);
  struct Cut {
    double seconds, down, compute, up;
  };
  for (const Cut& cut : std::vector<Cut>{{0, 0, 0, 0},
                                         {0.5, 0, 0, 0},
                                         {1, 0, 0, 0},
                                         {2.5, 1.5, 0, 0},
                                         {3, 2, 0, 0},
                                         {6, 2, 3, 0},
                                         {7, 2, 4, 0},
                                         {7.5, 2, 4, 0},
                                         {8, 2, 4, 0},
                                         {9.5, 2, 4, 1.5},
                                         {11, 2, 4, 3},
                                         {12, 2, 4, 3},
                                         {kInfinity, 2, 4, 3}}) {
    const TaskTimes times = whole.until(cut.seconds);
    EXPECT_EQ(times.down, cut.down) << cut.seconds;
    EXPECT_EQ(times.compute, cut.compute) << cut.seconds;
    EXPECT_EQ(times.up, cut.up) << cut.seconds;
  }
}

/// A client of the class.
std::uint32_t client_of(const Federation& federation, int device_class) {
  std::uint32_t client = 0;
  while (federation.fleet.class_of(client) != device_class) ++client;
  return client;
}

constexpr const char* kFastAndSlow =
    "{name = \"fast\", share = 0.5, widths = [8], compute = 94080, down = 500, up = 100, latency = 0.25}, "
    "{name = \"slow\", share = 0.5, widths = [8], compute = 47040, down = 250}";

TEST(TaskCosts, TakeTheTimeOfTheClass) {
  const Federation federation = hand_fleet(kFastAndSlow);
  const TaskCosts costs(federation);
  const std::uint32_t fast = client_of(federation, 0), slow = client_of(federation, 1);
  EXPECT_EQ(costs.flops(fast), kTaskFlops);
  EXPECT_EQ(costs.flops_an_example(), kTaskFlops / 4);
  for (const TaskTimes& times : {costs.times(task(1, fast), 1000, 300), costs.lucky_times(fast, 1000, 300)}) {
    EXPECT_EQ(times.latency, 0.25);
    EXPECT_EQ(times.down, 2);
    EXPECT_EQ(times.compute, 2);
    EXPECT_EQ(times.up, 3);
    EXPECT_EQ(times.total(), 7.5);
  }
  const TaskTimes times = costs.times(task(1, slow), 1000, 300);
  EXPECT_EQ(times.down, 4);
  EXPECT_EQ(times.compute, 4);
  EXPECT_EQ(times.up, 0) << "its link up has no limit";
  EXPECT_EQ(times.total(), 8);
}

TEST(TaskCosts, AreNothingWithoutAFleet) {
  const Federation federation = tiny_federation();
  const TaskCosts costs(federation);
  EXPECT_EQ(costs.times(task(1, 3), 1000, 300).total(), 0);
  EXPECT_EQ(costs.lucky_times(3, 1000, 300).total(), 0);
  EXPECT_EQ(costs.drops_out_after(task(1, 3), 10), kInfinity);
  const PlayedCost cost = costs.cost(task(1, 3), {}, kInfinity, 1000, 300);
  EXPECT_EQ(cost.joules, 0);
  EXPECT_EQ(cost.bytes_down, 1000);
  EXPECT_EQ(cost.bytes_up, 300);
}

TEST(TaskCosts, CountEveryGradientAndEpoch) {
  const auto flops = [](const std::vector<std::string>& settings) {
    const Federation federation = hand_fleet("{name = \"one\", share = 1, widths = [8]}", settings);
    return TaskCosts(federation).flops(0);
  };
  EXPECT_EQ(flops({"training.epochs=2"}), 2 * kTaskFlops);
  EXPECT_EQ(flops({"data.examples=5"}), 5 * kTaskFlops / 4);
  EXPECT_EQ(flops({"training.method.name=mqat", "training.method.widths=[8, 4, 2]"}), kTaskFlops);
  EXPECT_EQ(flops({"training.method.name=mqat", "training.method.widths=[8, 4, 2]", "training.method.sampling=device",
                   "fleet.class=[{name = \"one\", share = 1, widths = [8, 4]}]"}),
            kTaskFlops)
      << "a device draws one of its widths";
  EXPECT_EQ(flops({"training.method.name=joint", "training.method.widths=[8, 4, 2]"}), 3 * kTaskFlops);
}

TEST(TaskCosts, SpreadLinksByTaskAndDirection) {
  const Federation federation =
      hand_fleet("{name = \"one\", share = 1, widths = [8], down = 1000, up = 1000, link_spread = 0.5}");
  const TaskCosts costs(federation);
  double slower = 0, sum = 0, squares = 0, both = 0;
  constexpr int kTasks = 4000;
  for (std::uint32_t round = 1; round <= kTasks; ++round) {
    const TaskTimes times = costs.times(task(round, 7), 1000, 1000);
    EXPECT_EQ(times.down, costs.times(task(round, 7), 1000, 1000).down);
    const double down = std::log(times.down), up = std::log(times.up);
    slower += down > 0 ? 1 : 0;
    sum += down;
    squares += down * down;
    both += down * up;
  }
  // A second in the middle; four standard deviations each.
  EXPECT_NEAR(slower / kTasks, 0.5, 4 * 0.5 / std::sqrt(kTasks));
  EXPECT_NEAR(sum / kTasks, 0, 4 * 0.5 / std::sqrt(kTasks));
  EXPECT_NEAR(squares / kTasks, 0.25, 4 * 0.25 * std::sqrt(2.0 / kTasks));
  EXPECT_NEAR(both / kTasks, 0, 4 * 0.25 / std::sqrt(kTasks)) << "of the two directions each has its own";
  const TaskTimes lucky = costs.lucky_times(7, 1000, 1000);
  EXPECT_NEAR(lucky.down, std::exp(-0.5 * 3.09), 1e-12) << "0.001 of a normal distribution are above 3.09";
  EXPECT_EQ(lucky.up, lucky.down);
  EXPECT_NE(costs.times(task(1, 7), 1000, 1000).down, costs.times(task(1, 8), 1000, 1000).down);
}

TEST(TaskCosts, SpreadDevicesByClient) {
  const Federation federation =
      hand_fleet("{name = \"one\", share = 1, widths = [8], compute = 94080, compute_spread = 0.5}");
  const TaskCosts costs(federation);
  const double seconds = costs.times(task(1, 7), 0, 0).compute;
  EXPECT_NE(seconds, 2);
  EXPECT_EQ(costs.times(task(2, 7), 0, 0).compute, seconds);
  EXPECT_EQ(costs.lucky_times(7, 0, 0).compute, seconds);
  EXPECT_NE(costs.times(task(1, 8), 0, 0).compute, seconds);
}

TEST(TaskCosts, DropOutAsOftenAsTheClassDoesAndAnywhere) {
  const Federation federation = hand_fleet("{name = \"one\", share = 1, widths = [8], drop_out = 0.2}");
  const TaskCosts costs(federation);
  double dropped = 0, sum = 0;
  for (std::uint32_t draw = 0; draw < 10'000; ++draw) {
    const double after = costs.drops_out_after(task(1 + draw / 20, draw % 20), 10);
    if (after == kInfinity) continue;
    ++dropped;
    sum += after;
    EXPECT_GE(after, 0);
    EXPECT_LT(after, 10);
  }
  EXPECT_NEAR(dropped / 10'000, 0.2, 0.016) << "four standard deviations";
  EXPECT_NEAR(sum / dropped, 5, 4 * 10 / std::sqrt(12 * dropped));
  const Federation reliable = hand_fleet("{name = \"one\", share = 1, widths = [8]}");
  EXPECT_EQ(TaskCosts(reliable).drops_out_after(task(1, 3), 10), kInfinity);
}

TEST(TaskCosts, ChargeEnergyForWhatWasDone) {
  const Federation federation = hand_fleet(
      "{name = \"one\", share = 1, widths = [8], compute = 94080, down = 500, up = 100, latency = 0.25, "
      "energy_flop = 2e-6, energy_byte = 1e-3, idle_power = 0.5}");
  const TaskCosts costs(federation);
  const TaskTimes times = costs.times(task(1, 0), 1000, 300);  // 0.25 + 2 + 2 + 0.25 + 3 s
  struct Cut {
    double seconds, flops, down, up, joules;
  };
  for (const Cut& cut : std::vector<Cut>{{0, 0, 0, 0, 0},
                                         {0.25, 0, 0, 0, 0.5 * 0.25},
                                         {1.25, 0, 500, 0, 0.5 + 0.5 * 1.25},
                                         {3.25, 94080, 1000, 0, 94080 * 2e-6 + 1.0 + 0.5 * 2.25},
                                         {4.5, 188160, 1000, 0, 188160 * 2e-6 + 1.0 + 0.5 * 2.5},
                                         {6.0, 188160, 1000, 150, 188160 * 2e-6 + 1.15 + 0.5 * 4},
                                         {7.5, 188160, 1000, 300, 188160 * 2e-6 + 1.3 + 0.5 * 5.5},
                                         {kInfinity, 188160, 1000, 300, 188160 * 2e-6 + 1.3 + 0.5 * 5.5}}) {
    const PlayedCost cost = costs.cost(task(1, 0), times, cut.seconds, 1000, 300);
    EXPECT_DOUBLE_EQ(cost.flops, cut.flops) << cut.seconds;
    EXPECT_DOUBLE_EQ(cost.bytes_down, cut.down) << cut.seconds;
    EXPECT_DOUBLE_EQ(cost.bytes_up, cut.up) << cut.seconds;
    EXPECT_NEAR(cost.joules, cut.joules, 1e-12) << cut.seconds;
  }
}

TEST(TaskCosts, ChargeNoUploadToWhoIsCutOff) {
  const Federation federation = hand_fleet("{name = \"one\", share = 1, widths = [8], drop_out = 0.5}");
  const TaskCosts costs(federation);
  const PlayedCost cut = costs.cost(task(1, 0), {}, 0, 1000, 300);
  EXPECT_EQ(cut.bytes_down, 1000);
  EXPECT_EQ(cut.flops, kTaskFlops);
  EXPECT_EQ(cut.bytes_up, 0) << "it takes no time, and still did not happen";
  EXPECT_EQ(costs.cost(task(1, 0), {}, kInfinity, 1000, 300).bytes_up, 300);
}

TEST(TaskCosts, KnowTheLeastUpdate) {
  const Federation plain = hand_fleet("{name = \"one\", share = 1, widths = [8]}");
  EXPECT_EQ(TaskCosts(plain).least_update(), frame_bytes(plain).update);
  const Federation learned =
      hand_fleet("{name = \"one\", share = 1, widths = [8]}",
                 {"training.method.name=mqat", "training.method.widths=[8, 4]", "training.method.range=learned"});
  EXPECT_LT(TaskCosts(learned).least_update(), frame_bytes(learned).update) << "no step of a width";
}

}  // namespace
}  // namespace anybit
