// Asynchronous rounds over longer courses: what becomes of statistics, of those who do not answer, of wishes to be
// woken, and of the state while tasks end.
#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "tests/server/asynchronous_by_hand.h"

namespace anybit {
namespace {

/// Ten at work, and each update makes a version, so all but the first few are nine behind. Each client measures 1.
TEST(AsynchronousCourse, StatisticsStayAtWhatClientsMeasure) {
  Asynchrony asynchrony = fedbuff(10);
  for (const bool mixes : {false, true}) {
    if (mixes) asynchrony.mixing = 0.6;
    Asynchronous run(20, 1, 200, asynchrony);
    run.start();
    const auto statistic = [&] { return run.coordinator->state().global.values[3]; };
    std::map<std::uint32_t, float> received;
    for (int i = 0; i < 150; ++i) {
      for (const auto& [number, task] : run.tasks) received.emplace(number, statistic());
      const std::uint32_t oldest = run.tasks.begin()->first;
      run.answer_of(oldest, {2}, {0, 0, 0, 1 - received.at(oldest)});
      ASSERT_GE(statistic(), 0.0F) << i;
      ASSERT_LE(statistic(), 1 + 1e-6F) << i;
      ASSERT_TRUE(mixes || std::abs(statistic() - 1) < 1e-6F) << "the plain mean, after " << i;
    }
    EXPECT_EQ(run.reports.back().most_stale, 9U);
    EXPECT_NEAR(statistic(), 1, 1e-3);
  }
}

TEST(AsynchronousCourse, AWeightThatIsDiscountedToNearlyNothingIsStillDividedBy) {
  Asynchrony asynchrony = fedbuff(2, true);
  asynchrony.discount = polynomial_discount(100);
  Asynchronous run(10, 1, 9, asynchrony);
  run.start();
  run.answer(0, {0, 0, 0});
  run.answer(1, {1, 2, 3});
  EXPECT_EQ(run.reports.back().most_stale, 1U);
  EXPECT_EQ(run.global(), (std::vector<float>{1, 2, 3}));
}

TEST(AsynchronousCourse, EndsWhereAllMissTheDeadline) {
  Asynchronous run(20, 2, 9, fedbuff(4));
  run.federation.plan.policy = {.deadline = 30, .give_up = 3};
  run.start();
  run.answer(0, {0, 0, 0}, 1);
  for (int deadline = 1; deadline <= 3; ++deadline) {
    ASSERT_FALSE(run.ended) << deadline;
    run.see(handle(*run.coordinator, TimePassed{}, 31.0 * deadline));
  }
  ASSERT_TRUE(run.ended);
  EXPECT_TRUE(run.ended->gave_up);
  EXPECT_FALSE(run.ended->nobody_left);
  ASSERT_EQ(run.reports.size(), 1U);
  EXPECT_EQ(run.reports[0], (RoundReport{.round = 1,
                                         .clients = 1,
                                         .released = 12,
                                         .overdue = 12,
                                         .train_loss = run.reports[0].train_loss,
                                         .abandoned = true}))
      << "four places at three deadlines, and one that was filled again before the first";
  EXPECT_EQ(run.coordinator->state().version, 0U);
  EXPECT_TRUE(run.coordinator->state().in_flight.empty());
  // Told to try again it goes on with new names, as a server that begins with what was saved.
  const std::size_t given = run.released.size() + 1;
  EXPECT_EQ(run.coordinator->state().tasks, given);
  run.tasks.clear();
  run.ended.reset();
  run.see(handle(*run.coordinator, Started{}, 100));
  ASSERT_EQ(run.tasks.size(), 4U);
  EXPECT_EQ(run.tasks.begin()->first, given);
  run.answer(run.tasks.begin()->first, {1, 1, 1}, 101);
  EXPECT_EQ(run.coordinator->state().version, 0U) << "the update that waited counts for nothing";
  run.answer(run.tasks.begin()->first, {1, 1, 1}, 102);
  EXPECT_EQ(run.coordinator->state().version, 1U);
  EXPECT_EQ(run.reports.back().round, 2U);
  EXPECT_EQ(run.coordinator->state().abandoned, 0U);
}

TEST(AsynchronousCourse, GoesOnWhereSomeMissTheDeadlineAndOthersMakeVersions) {
  Asynchronous run(40, 2, 60, fedbuff(20));
  run.federation.plan.policy = {.deadline = 30, .give_up = 1};
  run.start();
  double now = 0;
  for (int i = 0; i < 30; ++i) {  // two of twenty answer, the others are overdue together
    run.answer(run.tasks.rbegin()->first, {0, 0, 0}, now + 2);
    run.answer(run.tasks.rbegin()->first, {0, 0, 0}, now + 2);
    run.see(handle(*run.coordinator, TimePassed{}, now += 31));
    ASSERT_FALSE(run.ended) << i;
  }
}

// Who falls too far behind has been overtaken by versions: a run with those goes on.
TEST(AsynchronousCourse, StaleTasksAreNotInVain) {
  Asynchrony asynchrony = fedbuff(4);
  asynchrony.max_staleness = 0;
  Asynchronous run(20, 1, 60, asynchrony);
  run.federation.plan.policy.give_up = 1;
  run.start();
  for (int i = 0; i < 30; ++i) run.answer(run.tasks.begin()->first, {0, 0, 0});
  EXPECT_FALSE(run.ended);
  EXPECT_EQ(run.released.size(), 90U);
}

TEST(AsynchronousCourse, TakesBackAWishToBeWokenThatHasLostItsReason) {
  Asynchronous run(20, 3, 9, fedbuff(2));
  const auto is_here = [](std::uint32_t client, double now) { return client < 3 || now >= 1000; };
  run.federation.plan.reachability = {
      is_here, [=](std::uint32_t client, double now) { return is_here(client, now) ? now : 1000.0; },
      [=](std::uint32_t client, double now) { return is_here(client, now) ? kNever : 1000.0; }};
  run.start();
  run.answer(0, {0, 0, 0}, 1);
  EXPECT_FALSE(run.wake);
  run.answer(1, {0, 0, 0}, 2);
  ASSERT_EQ(run.tasks.size(), 1U) << "the updates of the two others wait";
  EXPECT_EQ(run.wake, 1000.0);
  run.answer(2, {0, 0, 0}, 3);
  ASSERT_EQ(run.tasks.size(), 2U) << "a version is made, and all three are idle";
  EXPECT_EQ(run.wake, kNever);
}

/// What is saved is the version's, however much has happened since.
TEST(AsynchronousCourse, StatesAreOfTheLastVersion) {
  Asynchronous at_once(30, 3, 50, fedbuff(6));
  Asynchronous later(30, 3, 50, fedbuff(6));
  for (Asynchronous* run : {&at_once, &later}) {
    run->start();
    for (int i = 0; i < 9; ++i) run->answer(run->tasks.begin()->first, {1, 1, 1}, i);
  }
  const FederationState expected = at_once.coordinator->state();
  ASSERT_EQ(expected.version, 3U);
  ASSERT_EQ(expected.in_flight.size(), 5U);
  later.answer(later.tasks.begin()->first, {1, 1, 1}, 9);
  const std::uint32_t lost = later.tasks.begin()->second.client;
  later.see(handle(*later.coordinator, ClientLost{lost, "battery"}, 10));
  const FederationState& state = later.coordinator->state();
  EXPECT_EQ(state.tasks, expected.tasks);
  EXPECT_EQ(state.in_flight, expected.in_flight);
  ASSERT_EQ(state.downlinks.size(), expected.downlinks.size());
  for (std::size_t i = 0; i < expected.downlinks.size(); ++i) {
    EXPECT_EQ(state.downlinks[i].version, expected.downlinks[i].version);
    EXPECT_EQ(*state.downlinks[i].bytes, *expected.downlinks[i].bytes);
  }
}

TEST(AsynchronousCourse, AnUpdateOfSomebodyElsesTaskIsRefusedWhereTheNumbersAgree) {
  Asynchronous run(10, 3, 9, fedbuff(3));
  run.start();
  const std::uint32_t sender = run.tasks.at(0).client;
  const std::uint32_t other = run.tasks.at(1).client;
  run.answer(0, {0, 0, 0});
  UpdateMessage update = run.federation.answer({77, 0, other});
  const std::vector<Action> actions = handle(*run.coordinator, UpdateArrived{sender, &update});
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(std::get<SendReject>(actions[0]).reason, "of another client");
}

TEST(AsynchronousCourse, RefusesStatesOfTasksThatCannotBe) {
  Asynchronous run(20, 3, 50, fedbuff(5));
  run.start();
  for (int i = 0; i < 9; ++i) run.answer(run.tasks.begin()->first, {1, 1, 1}, i);
  const FederationState good = run.coordinator->state();
  const auto is_refused = [&](const auto& spoil) {
    FederationState state = good;
    spoil(state);
    try {
      run.start(state);
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  EXPECT_FALSE(is_refused([](FederationState&) {}));
  EXPECT_TRUE(is_refused([](FederationState& state) { state.in_flight.back().client = 4'000'000'000U; }));
  EXPECT_TRUE(is_refused([](FederationState& state) { state.in_flight.back().client = 20; }));
  EXPECT_TRUE(is_refused([](FederationState& state) { state.in_flight.back().number = state.in_flight[0].number; }));
  EXPECT_TRUE(is_refused([](FederationState& state) { state.in_flight.back().delay = -1; }));
  EXPECT_TRUE(is_refused([](FederationState& state) { state.in_flight.back().since = kNever; }));
  EXPECT_TRUE(is_refused([](FederationState& state) { state.in_flight.back().delay = kNever; }));
  EXPECT_TRUE(is_refused([](FederationState& state) { state.in_flight.back().number = state.tasks; }));
  EXPECT_TRUE(is_refused([](FederationState& state) {
    state.downlinks.back().bytes = std::make_shared<const Bytes>(Bytes(3));
  })) << "parameters that cannot be decoded";
}

}  // namespace
}  // namespace anybit
