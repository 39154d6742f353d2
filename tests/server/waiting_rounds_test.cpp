// Synchronous rounds that wait until enough clients can be reached at once.
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "server/version_maker.h"
#include "tests/server/by_hand.h"
#include "tests/server/small_federation.h"

namespace anybit {
namespace {

/// Within reach from `from` to before `to` of every `day`; day 0: once.
struct Hours {
  double from = 0;
  double to = 0;
  double day = 24;

  double since(double now) const { return day == 0 ? now - from : std::fmod(now - from + 100 * day, day); }
  bool holds(double now) const { return since(now) >= 0 && since(now) < to - from; }
  double next(double now) const {
    if (holds(now)) return now;
    if (day == 0) return now < from ? from : kNever;
    return now + day - since(now);
  }
  double until(double now) const { return holds(now) ? now + (to - from) - since(now) : next(now); }
};

struct Waiting {
  SmallFederation federation;
  std::vector<Hours> hours;

  Waiting(std::vector<Hours> with, std::uint32_t minimum)
      : federation(static_cast<std::uint32_t>(with.size()), minimum, 3), hours(std::move(with)) {
    federation.plan.policy.minimum = minimum;
    federation.plan.reachability = {[this](std::uint32_t client, double now) { return hours[client].holds(now); },
                                    [this](std::uint32_t client, double now) { return hours[client].next(now); },
                                    [this](std::uint32_t client, double now) { return hours[client].until(now); }};
  }
};

TEST(WaitingRounds, BeginWhenEnoughAreThereAtOnce) {
  // The first is there in [0, 4) of 10, the second in [5, 8) of 11: both at 60, as 60 = 5 x 11 + 5.
  Waiting waiting({{0, 4, 10}, {5, 8, 11}}, 2);
  Coordinator coordinator(waiting.federation.plan, waiting.federation.state());
  const std::vector<Action> begun = handle(coordinator, Started{}, 0);
  ASSERT_EQ(begun.size(), 1U);
  const double time = std::get<WakeAt>(begun[0]).time;
  double expected = 0;
  while (!waiting.hours[0].holds(expected) || !waiting.hours[1].holds(expected)) ++expected;
  EXPECT_EQ(time, expected);
  EXPECT_EQ(std::get<WakeAt>(handle(coordinator, TimePassed{}, time - 1).at(0)).time, time) << "woken too early";
  EXPECT_EQ(all_of<SendTask>(handle(coordinator, TimePassed{}, time)).size(), 2U);
}

TEST(WaitingRounds, EndWhereEnoughAreNeverThereAtOnce) {
  Waiting waiting({{0, 10, 24}, {12, 20, 24}}, 2);
  Coordinator coordinator(waiting.federation.plan, waiting.federation.state());
  const std::vector<Action> actions = handle(coordinator, Started{}, 0);
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_TRUE(std::get<EndFederation>(actions[0]).gave_up);
  EXPECT_TRUE(std::get<EndFederation>(actions[0]).nobody_left);
}

TEST(WaitingRounds, ALookAheadKnowsWhoGoesAndWhoNeverComesAgain) {
  const auto enough_at = [](std::vector<Hours> hours, std::uint32_t enough, double now) {
    const Waiting waiting(std::move(hours), enough);
    return time_until_enough(waiting.federation.plan, enough, now);
  };
  EXPECT_EQ(enough_at({{0, 10, 24}, {12, 20, 24}}, 1, 11), 12);
  EXPECT_EQ(enough_at({{0, 10, 24}, {12, 20, 24}, {18, 26, 24}}, 2, 0), 0) << "the third is there from the day before";
  EXPECT_EQ(enough_at({{0, 10, 24}, {12, 20, 24}, {18, 26, 24}}, 2, 3), 18);
  EXPECT_EQ(enough_at({{0, 10, 24}, {10, 20, 24}}, 2, 3), kNever) << "one comes when the other goes";
  EXPECT_EQ(enough_at({{5, 9, 0}, {7, 8, 0}}, 2, 0), 7) << "once";
  EXPECT_EQ(enough_at({{5, 9, 0}, {7, 8, 0}}, 2, 8), kNever);
  EXPECT_EQ(enough_at({{0, 1, 10}, {5.5, 6, 10}, {1.5, 2, 3}}, 2, 1), 10.5) << "3 x 3 + 1.5";
}

TEST(WaitingRounds, NeedToKnowWhenClientsComeAndGo) {
  Waiting waiting({{0, 10, 24}, {12, 20, 24}}, 2);
  waiting.federation.plan.reachability.until = {};
  EXPECT_THROW(Coordinator(waiting.federation.plan, waiting.federation.state()), std::invalid_argument);
}

}  // namespace
}  // namespace anybit
