// Rounds that do not wait for everybody: over-selection, deadline, minimum, replacement, giving up.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "server/client_order.h"
#include "tests/server/by_hand.h"
#include "tests/server/small_federation.h"

namespace anybit {
namespace {

SmallFederation federation_of(std::uint32_t clients, std::uint32_t cohort, std::uint32_t rounds, RoundPolicy policy) {
  SmallFederation federation(clients, cohort, rounds);
  federation.plan.policy = policy;
  return federation;
}

/// Who is drawn for a round, in the order of the draw.
std::vector<std::uint32_t> order_of(const FederationPlan& plan, std::uint32_t round) {
  ClientOrder order({.seed = plan.seed, .purpose = Purpose::kCohort, .round = round}, plan.clients);
  std::vector<std::uint32_t> clients;
  while (!order.done()) clients.push_back(order.next());
  return clients;
}

std::vector<std::uint32_t> clients_of(const std::vector<SendTask>& tasks) {
  std::vector<std::uint32_t> clients;
  for (const SendTask& send : tasks) clients.push_back(send.client);
  return clients;
}

std::vector<TaskId> released(const std::vector<Action>& actions) {
  std::vector<TaskId> tasks;
  for (const Release& release : all_of<Release>(actions)) tasks.push_back(release.task);
  return tasks;
}

double first_weight(const std::vector<TaskId>& counted) {
  double sum = 0;
  double examples = 0;
  for (const TaskId& task : counted) {
    const double share = SmallFederation::examples(task.client);
    sum += share * static_cast<double>(SmallFederation::delta(task, 0));
    examples += share;
  }
  return sum / examples;
}

TEST(OverSelection, TheFirstOfTheCohortCountAndTheRestAreLate) {
  const SmallFederation federation = federation_of(10, 2, 2, {.over_selection = 1.6});
  Coordinator coordinator(federation.plan, federation.state());
  const std::vector<SendTask> tasks = all_of<SendTask>(handle(coordinator, Started{}));
  ASSERT_EQ(tasks.size(), 4U) << "3.2 rounded up";
  EXPECT_EQ(clients_of(tasks), Coordinator::cohort(federation.plan, 0));
  EXPECT_EQ(deliver(coordinator, federation.answer(tasks[3].task)).size(), 1U);
  const std::vector<Action> actions = deliver(coordinator, federation.answer(tasks[1].task));
  ASSERT_EQ(actions.size(), 1U + 2 + 1 + 4) << "acknowledged, released, concluded, the next round";
  EXPECT_EQ(released(actions), (std::vector<TaskId>{tasks[0].task, tasks[2].task}));
  const RoundReport report = std::get<ConcludeRound>(actions[3]).report;
  EXPECT_EQ(report.clients, 2U);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.released, 2U);
  EXPECT_EQ(report.overdue, 0U);
  EXPECT_FALSE(report.abandoned);
  EXPECT_EQ(coordinator.state().global.values[0], static_cast<float>(first_weight({tasks[3].task, tasks[1].task})));
  for (const std::size_t late : {0U, 2U, 1U}) {
    const std::vector<Action> answer = deliver(coordinator, federation.answer(tasks[late].task));
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(std::get<SendReject>(answer[0]).reason, "late") << late;
  }
}

TEST(OverSelection, CoversThoseThatFail) {
  const SmallFederation federation = federation_of(10, 2, 1, {.over_selection = 2});
  Coordinator coordinator(federation.plan, federation.state());
  const std::vector<SendTask> tasks = all_of<SendTask>(handle(coordinator, Started{}));
  EXPECT_TRUE(handle(coordinator, ClientLost{tasks[0].client, "gone"}).empty());
  UpdateMessage broken = federation.answer(tasks[1].task);
  broken.examples = 0;
  EXPECT_EQ(all_of<SendReject>(deliver(coordinator, broken)).size(), 1U);
  deliver(coordinator, federation.answer(tasks[2].task));
  const RoundReport report = all_of<ConcludeRound>(deliver(coordinator, federation.answer(tasks[3].task))).at(0).report;
  EXPECT_EQ(report.clients, 2U);
  EXPECT_EQ(report.failed, 2U);
  EXPECT_EQ(report.released, 0U);
}

TEST(Deadline, ClosesTheRoundWithWhatIsThere) {
  const SmallFederation federation = federation_of(3, 3, 1, {.deadline = 30});
  Coordinator coordinator(federation.plan, federation.state());
  const std::vector<Action> begun = handle(coordinator, Started{}, 100);
  ASSERT_EQ(all_of<WakeAt>(begun).size(), 1U);
  EXPECT_EQ(all_of<WakeAt>(begun)[0].time, 130);
  deliver(coordinator, federation.answer({77, 0, 1}), 110);
  const std::vector<Action> early = handle(coordinator, TimePassed{}, 129.9);
  ASSERT_EQ(early.size(), 1U);
  EXPECT_EQ(std::get<WakeAt>(early[0]).time, 130) << "woken too early";
  EXPECT_EQ(deliver(coordinator, federation.answer({77, 0, 2}), 130).size(), 1U) << "before it was told the time";
  const std::vector<Action> actions = handle(coordinator, TimePassed{}, 130);
  EXPECT_EQ(released(actions), (std::vector<TaskId>{{77, 0, 0}}));
  const RoundReport report = all_of<ConcludeRound>(actions).at(0).report;
  EXPECT_EQ(report.clients, 2U);
  EXPECT_EQ(report.released, 1U);
  EXPECT_EQ(report.overdue, 1U);
  EXPECT_FALSE(report.abandoned);
  EXPECT_EQ(coordinator.state().global.values[0], static_cast<float>(first_weight({{77, 0, 1}, {77, 0, 2}})));
  EXPECT_FALSE(all_of<EndFederation>(actions).at(0).gave_up);
  EXPECT_TRUE(handle(coordinator, TimePassed{}, 1000).empty()) << "it has stopped";
}

TEST(Deadline, IsEachRoundsOwn) {
  const SmallFederation federation = federation_of(1, 1, 2, {.deadline = 30});
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{}, 100);
  const std::vector<Action> actions = deliver(coordinator, federation.answer({77, 0, 0}), 120);
  EXPECT_EQ(all_of<WakeAt>(actions).at(0).time, 150);
  EXPECT_EQ(std::get<WakeAt>(handle(coordinator, TimePassed{}, 130).at(0)).time, 150) << "that of the round before";
  const std::vector<Action> back = deliver(coordinator, federation.answer({77, 1, 0}), 50);
  EXPECT_EQ(all_of<ConcludeRound>(back).size(), 1U) << "a clock that was set back";
}

TEST(Deadline, NobodyAsksToBeWokenWithoutOne) {
  const SmallFederation federation(2, 2, 1);
  Coordinator coordinator(federation.plan, federation.state());
  EXPECT_TRUE(all_of<WakeAt>(handle(coordinator, Started{})).empty());
  EXPECT_TRUE(handle(coordinator, TimePassed{}, 1e300).empty());
}

TEST(Minimum, FewerAtTheDeadlineMakeNoVersion) {
  const SmallFederation federation = federation_of(4, 4, 1, {.deadline = 30, .minimum = 2});
  FederationState state = federation.state();
  state.global.values = {1.0F, 2.0F, 3.0F, 4.0F};
  Coordinator coordinator(federation.plan, state);
  handle(coordinator, Started{}, 0);
  deliver(coordinator, federation.answer({77, 0, 3}), 1);
  const std::vector<Action> actions = handle(coordinator, TimePassed{}, 30);
  const RoundReport report = all_of<ConcludeRound>(actions).at(0).report;
  EXPECT_TRUE(report.abandoned);
  EXPECT_EQ(report.round, 1U);
  EXPECT_EQ(report.version, 0U);
  EXPECT_EQ(report.clients, 1U);
  EXPECT_EQ(report.released, 3U);
  EXPECT_EQ(coordinator.state().global.values, state.global.values);
  EXPECT_EQ(coordinator.state().version, 0U);
  // The next round is another one, from the same version.
  const std::vector<SendTask> tasks = all_of<SendTask>(actions);
  ASSERT_EQ(tasks.size(), 4U);
  EXPECT_EQ(tasks[0].task, (TaskId{77, 1, 0}));
  EXPECT_EQ(tasks[0].version, 0U);
  EXPECT_EQ(all_of<SendReject>(deliver(coordinator, federation.answer({77, 0, 2}), 31)).at(0).reason, "late");
  deliver(coordinator, federation.answer({77, 1, 0}), 32);
  deliver(coordinator, federation.answer({77, 1, 1}), 33);
  const RoundReport good = all_of<ConcludeRound>(handle(coordinator, TimePassed{}, 60)).at(0).report;
  EXPECT_FALSE(good.abandoned);
  EXPECT_EQ(good.round, 2U);
  EXPECT_EQ(good.version, 1U);
  EXPECT_EQ(coordinator.state().abandoned, 0U);
  EXPECT_EQ(coordinator.state().global.values[0], 1.0F + static_cast<float>(first_weight({{77, 1, 0}, {77, 1, 1}})));
}

TEST(Minimum, IsAbandonedAtOnceWhereItCannotBeReached) {
  const SmallFederation federation = federation_of(3, 3, 1, {.deadline = 30, .minimum = 2});
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  EXPECT_TRUE(handle(coordinator, ClientLost{0, "gone"}, 1).empty()) << "two are left";
  const std::vector<Action> actions = handle(coordinator, ClientLost{2, "gone"}, 2);
  EXPECT_EQ(released(actions), (std::vector<TaskId>{{77, 0, 1}}));
  const RoundReport report = all_of<ConcludeRound>(actions).at(0).report;
  EXPECT_TRUE(report.abandoned);
  EXPECT_EQ(report.released, 1U);
  EXPECT_EQ(report.overdue, 0U);
  EXPECT_EQ(all_of<WakeAt>(actions).at(0).time, 32) << "the next round's";
}

TEST(Minimum, HoldsWithoutADeadline) {
  const SmallFederation federation = federation_of(3, 3, 1, {.minimum = 3});
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  deliver(coordinator, federation.answer({77, 0, 0}));
  EXPECT_TRUE(all_of<ConcludeRound>(handle(coordinator, ClientLost{1, "gone"})).at(0).report.abandoned);
}

TEST(Replacement, TheNextOfTheOrderComesWhileThereIsTime) {
  const SmallFederation federation = federation_of(6, 2, 1, {.deadline = 40, .minimum = 2, .replace_until = 0.25});
  const std::vector<std::uint32_t> order = order_of(federation.plan, 0);
  Coordinator coordinator(federation.plan, federation.state());
  const std::vector<SendTask> tasks = all_of<SendTask>(handle(coordinator, Started{}, 100));
  ASSERT_EQ(tasks.size(), 2U);
  const std::vector<Action> lost = handle(coordinator, ClientLost{tasks[0].client, "gone"}, 101);
  ASSERT_EQ(lost.size(), 1U);
  const SendTask third = std::get<SendTask>(lost[0]);
  EXPECT_EQ(third.client, order[2]);
  EXPECT_EQ(third.task, (TaskId{77, 0, order[2]}));
  EXPECT_EQ(third.parameters, tasks[0].parameters);
  UpdateMessage broken = federation.answer(third.task);
  broken.steps = 0;
  const std::vector<Action> refused = deliver(coordinator, broken, 109.9);
  ASSERT_EQ(refused.size(), 2U);
  EXPECT_EQ(std::get<SendTask>(refused[1]).client, order[3]) << "a replacement is replaced, too";
  deliver(coordinator, federation.answer({77, 0, order[3]}), 120);
  const std::vector<Action> actions = deliver(coordinator, federation.answer(tasks[1].task), 121);
  const RoundReport report = all_of<ConcludeRound>(actions).at(0).report;
  EXPECT_EQ(report.clients, 2U);
  EXPECT_EQ(report.failed, 2U);
  EXPECT_EQ(report.replaced, 2U);
  EXPECT_EQ(coordinator.state().global.values[0], static_cast<float>(first_weight({{77, 0, order[3]}, tasks[1].task})));
}

TEST(Replacement, NobodyComesWhenItsTimeIsOver) {
  const SmallFederation federation = federation_of(6, 2, 1, {.deadline = 40, .minimum = 2, .replace_until = 0.25});
  Coordinator coordinator(federation.plan, federation.state());
  const std::vector<SendTask> tasks = all_of<SendTask>(handle(coordinator, Started{}, 100));
  const std::vector<Action> actions = handle(coordinator, ClientLost{tasks[0].client, "gone"}, 110);
  EXPECT_TRUE(all_of<ConcludeRound>(actions).at(0).report.abandoned);
}

TEST(Replacement, NobodyComesForOneThatIsNotToBeReplaced) {
  const SmallFederation federation = federation_of(6, 2, 1, {.deadline = 40, .minimum = 2, .replace_until = 1});
  Coordinator coordinator(federation.plan, federation.state());
  const std::vector<SendTask> tasks = all_of<SendTask>(handle(coordinator, Started{}, 100));
  const std::vector<Action> actions = handle(coordinator, ClientLost{tasks[0].client, "away", false}, 100);
  const RoundReport report = all_of<ConcludeRound>(actions).at(0).report;
  EXPECT_TRUE(report.abandoned);
  EXPECT_EQ(report.replaced, 0U);
}

TEST(Replacement, NobodyIsInARoundTwice) {
  const SmallFederation federation = federation_of(3, 2, 1, {.deadline = 40, .replace_until = 1});
  Coordinator coordinator(federation.plan, federation.state());
  std::set<std::uint32_t> seen;
  for (const SendTask& send : all_of<SendTask>(handle(coordinator, Started{}))) seen.insert(send.client);
  const std::uint32_t first = *seen.begin();
  const std::vector<SendTask> replacement = all_of<SendTask>(handle(coordinator, ClientLost{first, "gone"}));
  ASSERT_EQ(replacement.size(), 1U);
  EXPECT_TRUE(seen.insert(replacement[0].client).second);
  EXPECT_TRUE(handle(coordinator, ClientLost{replacement[0].client, "gone"}).empty()) << "all three were there";
  EXPECT_EQ(all_of<SendReject>(deliver(coordinator, federation.answer({77, 0, first}))).at(0).reason, "late");
}

TEST(GivingUp, StopsAfterSoManyAbandonedRoundsInARow) {
  const SmallFederation federation = federation_of(1, 1, 2, {.give_up = 2});
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  EXPECT_TRUE(all_of<EndFederation>(handle(coordinator, ClientLost{0, "gone"})).empty());
  EXPECT_TRUE(all_of<EndFederation>(deliver(coordinator, federation.answer({77, 1, 0}))).empty()) << "this one is good";
  EXPECT_TRUE(all_of<EndFederation>(handle(coordinator, ClientLost{0, "gone"})).empty()) << "one in a row";
  const std::vector<Action> actions = handle(coordinator, ClientLost{0, "gone"});
  ASSERT_EQ(all_of<EndFederation>(actions).size(), 1U);
  EXPECT_TRUE(all_of<EndFederation>(actions)[0].gave_up);
  EXPECT_TRUE(all_of<SendTask>(actions).empty());
  EXPECT_EQ(coordinator.state().version, 1U);
  EXPECT_EQ(coordinator.state().round, 4U);
  EXPECT_EQ(all_of<SendReject>(deliver(coordinator, federation.answer({77, 4, 0}))).at(0).reason, "late");
  // Told to start, be it from a saved state, it tries again, as often as before.
  Coordinator resumed(federation.plan, coordinator.state());
  for (Coordinator* again : {&coordinator, &resumed}) {
    EXPECT_EQ(all_of<SendTask>(handle(*again, Started{})).at(0).task, (TaskId{77, 4, 0}));
    EXPECT_TRUE(all_of<EndFederation>(handle(*again, ClientLost{0, "gone"})).empty());
    EXPECT_TRUE(all_of<EndFederation>(handle(*again, ClientLost{0, "gone"})).at(0).gave_up);
  }
}

TEST(Resume, GoesOnAfterAnAbandonedRoundToTheSameBits) {
  const SmallFederation federation = federation_of(20, 3, 2, {.over_selection = 1.3, .minimum = 2, .give_up = 2});
  Coordinator undisturbed(federation.plan, federation.state());
  for (const SendTask& send : all_of<SendTask>(handle(undisturbed, Started{})))
    handle(undisturbed, ClientLost{send.client, "gone"});
  ASSERT_EQ(undisturbed.state().round, 1U);
  Coordinator resumed(federation.plan, undisturbed.state());
  const std::vector<SendTask> tasks = all_of<SendTask>(handle(resumed, Started{}));
  EXPECT_EQ(clients_of(tasks), Coordinator::cohort(federation.plan, 1));
  for (const SendTask& send : tasks)
    for (Coordinator* coordinator : {&undisturbed, &resumed}) deliver(*coordinator, federation.answer(send.task));
  EXPECT_EQ(resumed.state().version, 1U);
  EXPECT_EQ(resumed.state().round, undisturbed.state().round);
  EXPECT_EQ(resumed.state().abandoned, undisturbed.state().abandoned);
  EXPECT_EQ(resumed.state().global.values, undisturbed.state().global.values);
}

TEST(PolicyOfAPlan, IsRefusedWhereItCannotBe) {
  const auto refused = [](RoundPolicy policy) {
    const SmallFederation federation = federation_of(4, 2, 1, policy);
    try {
      const Coordinator coordinator(federation.plan, federation.state());
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  EXPECT_FALSE(refused({.over_selection = 2, .deadline = 1, .minimum = 2, .replace_until = 1}));
  EXPECT_TRUE(refused({.over_selection = 2.1})) << "five of four";
  EXPECT_TRUE(refused({.over_selection = 0.5}));
  EXPECT_TRUE(refused({.deadline = -1}));
  EXPECT_TRUE(refused({.minimum = 3}));
  EXPECT_TRUE(refused({.minimum = 0}));
  EXPECT_TRUE(refused({.deadline = 1, .replace_until = 1.1}));
  EXPECT_TRUE(refused({.give_up = 0}));
}

}  // namespace
}  // namespace anybit
