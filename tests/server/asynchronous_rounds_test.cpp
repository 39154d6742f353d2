#include "server/asynchronous_rounds.h"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

#include "tests/server/asynchronous_by_hand.h"

namespace anybit {
namespace {

/// Specs D: w = (1, -2, 0.5), which the weight and the bias hold here.
FederationState golden_start(const Asynchronous& run) {
  FederationState state = run.federation.state();
  state.global.values[0] = 1;
  state.global.values[1] = -2;
  state.global.values[2] = 0.5F;
  return state;
}

const std::vector<float> kFirst = {0.1F, -0.2F, 0.3F};
const std::vector<float> kSecond = {-0.3F, 0.4F, 0.1F};
const std::vector<float> kNothing = {0, 0, 0};

void expect_near(const std::vector<float>& got, const std::vector<double>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(static_cast<double>(got[i]), expected[i], 1e-6) << i;
}

/// Three versions of nothing go by while task 1 waits; then d1 is fresh and d2 has staleness 3.
std::vector<float> golden_of(Asynchronous& run) {
  run.start(golden_start(run));
  EXPECT_EQ(run.tasks.size(), 2U);
  std::uint32_t next = 0;
  for (int version = 0; version < 3; ++version)
    for (int i = 0; i < 2; ++i) {
      run.answer(next, kNothing);
      next = run.tasks.rbegin()->first;
    }
  EXPECT_EQ(run.coordinator->state().version, 3U);
  run.answer(next, kFirst);
  run.answer(1, kSecond);
  EXPECT_EQ(run.coordinator->state().version, 4U);
  EXPECT_EQ(run.reports.back().staleness, 1.5);
  EXPECT_EQ(run.reports.back().most_stale, 3U);
  return run.global();
}

TEST(AsynchronousRounds, FedBuffDiscountsStaleChanges) {
  Asynchronous run(10, 2, 9, fedbuff(2));
  expect_near(golden_of(run), {1 - 0.025, -2 + 0.0, 0.5 + 0.175});
}

TEST(AsynchronousRounds, FedBuffMayDivideByItsDiscounts) {
  Asynchronous run(10, 2, 9, fedbuff(2, true));
  expect_near(golden_of(run), {1 - 0.033333, -2 + 0.0, 0.5 + 0.233333});
}

/// w_k = w + d1 with staleness 3: three versions of nothing go by.
std::vector<float> fedasync_golden(const StalenessDiscount& discount, int versions, const std::vector<float>& between) {
  Asynchronous run(10, 1, 20, {.concurrency = 2, .max_staleness = 20, .discount = discount, .mixing = 0.6});
  run.start(golden_start(run));
  std::uint32_t next = 0;
  for (int version = 0; version < versions; ++version) {
    run.answer(next, between);
    next = run.tasks.rbegin()->first;
  }
  run.answer(1, kFirst);
  return run.global();
}

TEST(AsynchronousRounds, FedAsyncMovesTowardsTheClient) {
  expect_near(fedasync_golden(constant_discount(), 3, kNothing), {1.06, -2.12, 0.68});
  expect_near(fedasync_golden(polynomial_discount(0.5), 3, kNothing), {1.03, -2.06, 0.59});
  const double hinge = 0.0285714;
  expect_near(fedasync_golden(hinge_discount(10, 4), 6, kNothing),
              {1 + 0.1 * hinge, -2 - 0.2 * hinge, 0.5 + 0.3 * hinge});
}

// The model has moved by 0.6 x (1, 1, 1) when the client's parameters, w + d1, come in with a = 0.6: of w that is 0.6
// gone and d1, 0.4 x 0.6 of the move is left.
TEST(AsynchronousRounds, FedAsyncTakesBackWhatTheClientHasNotSeen) {
  expect_near(fedasync_golden(constant_discount(), 1, {1, 1, 1}),
              {1 + 0.6 * 0.1 + 0.24, -2 - 0.6 * 0.2 + 0.24, 0.5 + 0.6 * 0.3 + 0.24});
}

TEST(AsynchronousRounds, KeepsSoManyAtWorkAndNobodyTwice) {
  Asynchronous run(12, 3, 50, fedbuff(5));
  run.start();
  std::set<std::uint32_t> waiting;
  for (int event = 0; event < 140; ++event) {
    ASSERT_EQ(run.tasks.size(), 5U);
    std::set<std::uint32_t> at_work;
    for (const auto& [number, task] : run.tasks) ASSERT_TRUE(at_work.insert(task.client).second) << "two tasks at once";
    for (const std::uint32_t client : waiting) ASSERT_FALSE(at_work.contains(client)) << "its update waits";
    const auto oldest = run.tasks.begin();
    waiting.insert(oldest->second.client);
    const std::size_t before = run.reports.size();
    run.answer(oldest->first, kFirst);
    if (run.reports.size() > before) waiting.clear();
  }
  EXPECT_EQ(run.reports.size(), 140U / 3);
}

TEST(AsynchronousRounds, ReplacesThoseThatFail) {
  Asynchronous run(10, 2, 9, fedbuff(3));
  run.start();
  const std::uint32_t lost = run.tasks.begin()->second.client;
  run.tasks.erase(run.tasks.begin());
  const std::vector<Action> actions = run.see(handle(*run.coordinator, ClientLost{lost, "battery"}));
  ASSERT_EQ(all_of<SendTask>(actions).size(), 1U);
  EXPECT_EQ(run.tasks.size(), 3U);
  EXPECT_TRUE(handle(*run.coordinator, ClientLost{lost, "battery"}).empty() ||
              run.tasks.begin()->second.client == lost);
  run.answer(run.tasks.begin()->first, kFirst);
  run.answer(run.tasks.begin()->first, kFirst);
  EXPECT_EQ(run.reports.at(0).failed, 1U);
}

TEST(AsynchronousRounds, AnswersDoublesAndStrangers) {
  Asynchronous run(10, 3, 9, fedbuff(2));
  run.start();
  const SendTask task = run.tasks.at(0);
  UpdateMessage update = run.federation.answer(task.task);
  update.digest = task.digest ^ 1U;
  const auto only = [&] { return handle(*run.coordinator, UpdateArrived{task.client, &update}).front(); };
  EXPECT_EQ(std::get<SendReject>(only()).reason, kOtherParameters);
  update.digest = task.digest;
  EXPECT_TRUE(std::holds_alternative<SendAcknowledge>(only()));
  EXPECT_TRUE(std::holds_alternative<SendAcknowledge>(only())) << "a double";
  update.id.run = 1;
  EXPECT_EQ(std::get<SendReject>(only()).reason, "of another run");
  update.id = task.task;
  update.id.round = 99;
  EXPECT_EQ(std::get<SendReject>(only()).reason, kLate) << "given after the checkpoint that it went on from, maybe";
  update.id = run.tasks.at(1).task;
  EXPECT_EQ(std::get<SendReject>(only()).reason, "of another client");
}

TEST(AsynchronousRounds, ReleasesWhoFallsTooFarBehind) {
  Asynchrony asynchrony = fedbuff(2);
  asynchrony.max_staleness = 1;
  Asynchronous run(10, 1, 9, asynchrony);
  run.start();
  const TaskId slow = run.tasks.at(1).task;
  run.answer(0, kFirst);
  EXPECT_TRUE(run.released.empty());
  run.answer(run.tasks.rbegin()->first, kFirst);
  EXPECT_EQ(run.released, std::vector<TaskId>{slow}) << "two versions behind";
  EXPECT_EQ(run.reports.back().released, 1U);
  EXPECT_EQ(run.tasks.size(), 2U) << "both places are filled again";
}

TEST(AsynchronousRounds, ReleasesAtTheDeadline) {
  Asynchronous run(10, 2, 9, fedbuff(2));
  run.federation.plan.policy.deadline = 10;
  run.start(5);
  EXPECT_EQ(run.wake, 15.0);
  run.answer(0, kFirst, 8);
  const std::uint32_t third = run.tasks.rbegin()->first;
  EXPECT_EQ(run.wake, 15.0) << "the other of the first two";
  run.see(handle(*run.coordinator, TimePassed{}, 15));
  EXPECT_EQ(run.released.size(), 1U);
  EXPECT_EQ(run.released[0].round, 1U);
  EXPECT_EQ(run.wake, 18.0) << "the third was given at 8";
  EXPECT_TRUE(run.tasks.contains(third));
}

TEST(AsynchronousRounds, EndsAndLetsGoOfAll) {
  Asynchronous run(10, 2, 1, fedbuff(4));
  run.start();
  run.answer(0, kFirst);
  run.answer(1, kFirst);
  ASSERT_TRUE(run.ended);
  EXPECT_FALSE(run.ended->gave_up);
  EXPECT_EQ(run.released.size(), 3U);
  EXPECT_TRUE(run.coordinator->state().in_flight.empty());
  EXPECT_TRUE(run.coordinator->state().downlinks.empty());
}

TEST(AsynchronousRounds, GivesUpWhereTooManyFail) {
  Asynchronous run(10, 2, 1, fedbuff(3));
  run.federation.plan.policy.give_up = 2;
  run.start();
  for (int i = 0; i < 6; ++i) {  // three at work, who are more than a version takes, and that twice
    EXPECT_FALSE(run.ended);
    const std::uint32_t client = run.tasks.rbegin()->second.client;
    run.see(handle(*run.coordinator, ClientLost{client, "battery"}));
    std::erase_if(run.tasks, [&](const auto& task) {
      return task.second.client == client && task.first < run.tasks.rbegin()->first;
    });
  }
  ASSERT_TRUE(run.ended);
  EXPECT_TRUE(run.ended->gave_up);
}

/// What happens from a state on, with the oldest task answered first.
std::vector<std::vector<float>> course(Asynchronous& run, int answers) {
  std::vector<std::vector<float>> models;
  for (int i = 0; i < answers; ++i) {
    const std::uint32_t number = run.tasks.begin()->first;
    run.answer(number, {0.25F * static_cast<float>(number % 5), 1, static_cast<float>(number)}, i);
    models.push_back(run.global());
  }
  return models;
}

TEST(AsynchronousRounds, GoOnFromAStateAsIfNothingHadBeen) {
  Asynchronous whole(20, 3, 50, fedbuff(5));
  whole.start();
  course(whole, 9);  // three versions
  const FederationState state = whole.coordinator->state();
  ASSERT_EQ(state.version, 3U);
  EXPECT_EQ(state.in_flight.size(), 4U) << "the fifth is given after the version";
  const auto expected = course(whole, 12);

  Asynchronous resumed(20, 3, 50, fedbuff(5));
  resumed.start(state);
  EXPECT_EQ(resumed.tasks.size(), 5U);
  EXPECT_EQ(course(resumed, 12), expected);
}

TEST(AsynchronousRounds, RefusesStatesThatCannotBe) {
  Asynchronous run(20, 3, 50, fedbuff(5));
  run.start();
  course(run, 9);
  FederationState state = run.coordinator->state();
  state.downlinks.clear();
  EXPECT_THROW(run.start(state), std::invalid_argument);
  Asynchronous crowded(6, 3, 1, fedbuff(5));
  EXPECT_THROW(crowded.start(), std::invalid_argument) << "5 at work and 2 whose updates wait";
}

// Clients 0 to 3 of 20 can be reached until 100, all of them again from 1000 on.
Reachability few_until(double time) {
  return {[=](std::uint32_t client, double now) { return client < 4 || now >= time; },
          [=](std::uint32_t client, double now) { return client < 4 ? now : std::max(now, time); },
          [=](std::uint32_t client, double now) { return client < 4 || now >= time ? kNever : time; }};
}

TEST(AsynchronousRounds, GoOnWithTheFewThatCanBeReached) {
  for (const bool resumes : {false, true}) {
    Asynchronous run(20, 1, 1000, fedbuff(6));
    run.federation.plan.reachability = few_until(1000);
    run.start();
    for (int i = 0; i < 40; ++i) {
      ASSERT_EQ(run.tasks.size(), 4U);
      EXPECT_EQ(run.wake, 1000.0) << "for the two that are missing";
      for (const auto& [number, task] : run.tasks) ASSERT_LT(task.client, 4U);
      run.answer(run.tasks.begin()->first, kFirst, 1);
      if (resumes) {  // who is idle is found anew, and is the same
        const FederationState state = run.coordinator->state();
        run.tasks.clear();
        run.start(state, 1);
      }
    }
    run.see(handle(*run.coordinator, TimePassed{}, 1000));
    EXPECT_EQ(run.tasks.size(), 6U);
  }
}

TEST(AsynchronousRounds, WaitForSomebodyToBeReached) {
  Asynchronous run(20, 1, 9, fedbuff(2));
  run.federation.plan.reachability = {[](std::uint32_t, double now) { return now >= 50; },
                                      [](std::uint32_t, double now) { return std::max(now, 50.0); },
                                      [](std::uint32_t, double now) { return now >= 50 ? kNever : 50.0; }};
  run.start(10);
  EXPECT_TRUE(run.tasks.empty());
  EXPECT_EQ(run.wake, 50.0);
  run.see(handle(*run.coordinator, TimePassed{}, 50));
  EXPECT_EQ(run.tasks.size(), 2U);
  run.answer(0, kFirst, 60);
  EXPECT_EQ(run.reports.at(0).waited, 40.0);
}

TEST(AsynchronousRounds, EndsWhereNobodyCanBeReachedEverAgain) {
  Asynchronous run(20, 1, 9, fedbuff(2));
  run.federation.plan.reachability = {[](std::uint32_t, double) { return false; },
                                      [](std::uint32_t, double) { return kNever; },
                                      [](std::uint32_t, double) { return kNever; }};
  run.start();
  ASSERT_TRUE(run.ended);
  EXPECT_TRUE(run.ended->gave_up);
  EXPECT_TRUE(run.ended->nobody_left);
}

/// Client 1 alone can be reached, and two updates make a version: the first waits in vain.
TEST(AsynchronousRounds, GivesUpTheVersionThatNobodyIsLeftToComplete) {
  Asynchronous run(2, 2, 9, fedbuff(1));
  run.federation.plan.reachability = {[](std::uint32_t client, double) { return client == 1; },
                                      [](std::uint32_t client, double now) { return client == 1 ? now : kNever; },
                                      [](std::uint32_t, double) { return kNever; }};
  run.start(5);
  for (std::uint32_t number = 0; number < 2; ++number) {  // told to start again it asks the same client anew
    ASSERT_EQ(run.tasks.size(), 1U) << number;
    EXPECT_EQ(run.tasks.at(number).client, 1U);
    run.answer(number, kFirst, 8);
    ASSERT_TRUE(run.ended);
    EXPECT_TRUE(run.ended->gave_up);
    EXPECT_TRUE(run.ended->nobody_left);
    const double train_loss = run.reports.back().train_loss;
    EXPECT_EQ(run.reports.back(),
              (RoundReport{.round = number + 1, .clients = 1, .train_loss = train_loss, .abandoned = true}));
    EXPECT_EQ(run.coordinator->state().tasks, number + 1);
    EXPECT_EQ(run.global(), (std::vector<float>{0, 0, 0}));
    run.ended.reset();
    run.see(handle(*run.coordinator, Started{}, 9));
  }
}

}  // namespace
}  // namespace anybit
