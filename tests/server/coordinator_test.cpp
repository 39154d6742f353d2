#include "server/coordinator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <stdexcept>

#include "tests/server/by_hand.h"
#include "tests/server/small_federation.h"

namespace anybit {
namespace {

/// Answers tasks until the end; returns the reports.
std::vector<RoundReport> run_to_end(const SmallFederation& federation, Coordinator& coordinator) {
  std::vector<RoundReport> reports;
  std::vector<SendTask> tasks = all_of<SendTask>(handle(coordinator, Started{}));
  while (!tasks.empty()) {
    std::vector<SendTask> next;
    for (const SendTask& send : tasks) {
      const std::vector<Action> actions = deliver(coordinator, federation.answer(send.task));
      for (const SendTask& task : all_of<SendTask>(actions)) next.push_back(task);
      for (const ConcludeRound& conclude : all_of<ConcludeRound>(actions)) reports.push_back(conclude.report);
    }
    tasks = next;
  }
  return reports;
}

TEST(Coordinator, SendsOneSharedBufferToTheCohort) {
  const SmallFederation federation(50, 5, 2);
  Coordinator coordinator(federation.plan, federation.state());
  const std::vector<Action> actions = handle(coordinator, Started{});
  const std::vector<SendTask> tasks = all_of<SendTask>(actions);
  ASSERT_EQ(tasks.size(), 5U);
  ASSERT_EQ(actions.size(), 5U);
  const std::vector<std::uint32_t> cohort = Coordinator::cohort(federation.plan, 0);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(tasks[i].client, cohort[i]);
    EXPECT_EQ(tasks[i].task, (TaskId{77, 0, cohort[i]}));
    EXPECT_EQ(tasks[i].parameters, tasks[0].parameters);
  }
  std::vector<float> received(4, 1.0F);
  const FederationPlan& plan = federation.plan;
  EXPECT_EQ(plan.downlink->decode(*plan.layout, plan.broadcast, *tasks[0].parameters, received), "");
  EXPECT_EQ(received, std::vector<float>(4, 0.0F));
  EXPECT_TRUE(handle(coordinator, Started{}).empty()) << "it has begun already";
}

// Clients 0 to 3 hold 1, 2, 3 and 20 examples: whoever is with the last one is not cut, and nobody is where it is not.
TEST(Coordinator, CutsTheClientThatHoldsMostOfItsRound) {
  SmallFederation federation(4, 2, 20);
  federation.plan.chunks = 4;
  federation.plan.examples = [](std::uint32_t client) { return client == 3 ? 20U : 1 + client; };
  Coordinator coordinator(federation.plan, federation.state());
  std::vector<SendTask> tasks = all_of<SendTask>(handle(coordinator, Started{}));
  std::set<std::uint32_t> cut;
  for (int round = 0; round < 20; ++round) {
    ASSERT_EQ(tasks.size(), 2U);
    for (const SendTask& send : tasks) {
      const std::uint32_t other = tasks[send.client == tasks[0].client ? 1 : 0].client;
      const bool most = send.client == 3 || (send.client == 1 && other == 0) || (send.client == 2 && other == 0);
      EXPECT_EQ(send.chunks, most ? 4U : 1U) << send.client << " beside " << other;
      if (most) cut.insert(send.client);
      const std::vector<SendTask> again = all_of<SendTask>(handle(coordinator, ClientJoined{send.client}));
      ASSERT_EQ(again.size(), 1U);
      EXPECT_EQ(again[0].chunks, send.chunks) << "a retry is the same task";
    }
    const std::vector<SendTask> last = tasks;
    for (const SendTask& send : last) tasks = all_of<SendTask>(deliver(coordinator, federation.answer(send.task)));
  }
  EXPECT_EQ(cut, (std::set<std::uint32_t>{1, 2, 3})) << "twenty rounds drew every pair";
}

TEST(Coordinator, RefusesChunksThatNoTaskMayHave) {
  SmallFederation federation(4, 2, 1);
  const auto refused = [&](std::uint32_t chunks) {
    federation.plan.chunks = chunks;
    try {
      const Coordinator coordinator(federation.plan, federation.state());
    } catch (const std::invalid_argument&) {
      return true;
    }
    return false;
  };
  EXPECT_FALSE(refused(1));
  EXPECT_TRUE(refused(2)) << "nobody says how many examples a client has";
  federation.plan.examples = [](std::uint32_t) { return 1U; };
  EXPECT_FALSE(refused(kMostChunks));
  EXPECT_TRUE(refused(0));
  EXPECT_TRUE(refused(kMostChunks + 1));
}

TEST(Coordinator, AveragesARoundAndGoesOn) {
  // Clients 0 and 1 of two: 1 and 2 examples, so w0 = (1 * 0.25 + 2 * 0.5) / 3, loss = (1 * 1 + 2 * 2) / 3.
  const SmallFederation federation(2, 2, 1);
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  EXPECT_EQ(deliver(coordinator, federation.answer({77, 0, 1})).size(), 1U);
  const std::vector<Action> actions = deliver(coordinator, federation.answer({77, 0, 0}));
  ASSERT_EQ(actions.size(), 3U);
  EXPECT_EQ(std::get<SendAcknowledge>(actions[0]).task, (TaskId{77, 0, 0}));
  const RoundReport report = std::get<ConcludeRound>(actions[1]).report;
  EXPECT_TRUE(std::holds_alternative<EndFederation>(actions[2]));
  EXPECT_EQ(report.round, 1U);
  EXPECT_EQ(report.version, 1U);
  EXPECT_EQ(report.clients, 2U);
  EXPECT_EQ(report.failed, 0U);
  EXPECT_FALSE(report.abandoned);
  EXPECT_EQ(report.train_loss, 5.0 / 3.0);
  EXPECT_EQ(coordinator.state().version, 1U);
  EXPECT_EQ(coordinator.state().global.values[0], static_cast<float>(1.25 / 3.0));
  EXPECT_EQ(coordinator.state().global.values[3], static_cast<float>((2.5 + 2 * 2.75) / 3.0)) << "statistic";
}

TEST(Coordinator, AcknowledgesADoubleAndDoesNotSumIt) {
  const SmallFederation federation(2, 2, 1);
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  const UpdateMessage first = federation.answer({77, 0, 1});
  deliver(coordinator, first);
  const std::vector<Action> again = deliver(coordinator, first);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(std::get<SendAcknowledge>(again[0]).task, first.id);
  const auto reports = all_of<ConcludeRound>(deliver(coordinator, federation.answer({77, 0, 0})));
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].report.clients, 2U);
  EXPECT_EQ(coordinator.state().global.values[0], static_cast<float>(1.25 / 3.0));
}

TEST(Coordinator, RejectsWhatAnswersNoTaskOfTheRoundAndChangesNothing) {
  const SmallFederation federation(20, 2, 3);
  Coordinator coordinator(federation.plan, federation.state());
  EXPECT_EQ(all_of<SendReject>(deliver(coordinator, federation.answer({77, 0, 1})))[0].reason, "late") << "not begun";
  handle(coordinator, Started{});
  const std::vector<std::uint32_t> cohort = Coordinator::cohort(federation.plan, 0);
  std::uint32_t stranger = 0;
  while (std::ranges::count(cohort, stranger) > 0) ++stranger;
  const auto reason = [&](const TaskId& id, std::uint32_t sender) {
    const UpdateMessage update = federation.answer(id);
    const std::vector<Action> actions = handle(coordinator, UpdateArrived{sender, &update});
    EXPECT_EQ(actions.size(), 1U);
    return std::get<SendReject>(actions.at(0)).reason;
  };
  EXPECT_EQ(reason({78, 0, cohort[0]}, cohort[0]), "of another run");
  EXPECT_EQ(reason({77, 1, cohort[0]}, cohort[0]), "of a round that has not begun");
  EXPECT_EQ(reason({77, 0, cohort[0]}, cohort[1]), "of another client");
  EXPECT_EQ(reason({77, 0, stranger}, stranger), "not in this round's cohort");
  // Both clients of the cohort can still answer.
  deliver(coordinator, federation.answer({77, 0, cohort[0]}));
  const std::vector<Action> actions = deliver(coordinator, federation.answer({77, 0, cohort[1]}));
  EXPECT_EQ(all_of<ConcludeRound>(actions).at(0).report.clients, 2U);
  EXPECT_EQ(reason({77, 0, cohort[1]}, cohort[1]), "late");
}

TEST(Coordinator, CountsLostAndInvalidClientsAsFailed) {
  const SmallFederation federation(3, 3, 1);
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  EXPECT_TRUE(handle(coordinator, ClientLost{0, "gone"}).empty());
  EXPECT_TRUE(handle(coordinator, ClientLost{0, "gone"}).empty());
  EXPECT_EQ(all_of<SendReject>(deliver(coordinator, federation.answer({77, 0, 0})))[0].reason, "late");
  UpdateMessage broken = federation.answer({77, 0, 1});
  broken.delta = broken.delta.first(broken.delta.size() - 1);
  EXPECT_EQ(all_of<SendReject>(deliver(coordinator, broken)).size(), 1U);
  const auto reports = all_of<ConcludeRound>(deliver(coordinator, federation.answer({77, 0, 2})));
  ASSERT_EQ(reports.size(), 1U);
  EXPECT_EQ(reports[0].report.clients, 1U);
  EXPECT_EQ(reports[0].report.failed, 2U);
  EXPECT_EQ(coordinator.state().global.values[0], 0.75F);
}

// A server that lost its last checkpoint begins the same round again, from other parameters.
TEST(Coordinator, AnUpdateFromOtherParametersCountsForNothingAndItsClientKeepsTheTask) {
  const SmallFederation federation(2, 2, 2);
  Coordinator coordinator(federation.plan, federation.state());
  const std::vector<SendTask> tasks = all_of<SendTask>(handle(coordinator, Started{}));
  ASSERT_EQ(tasks.size(), 2U);
  EXPECT_EQ(tasks[0].digest, crc32c(*tasks[0].parameters));
  UpdateMessage other = federation.answer({77, 0, 0});
  other.digest = tasks[0].digest + 1;
  const std::vector<Action> actions = handle(coordinator, UpdateArrived{0, &other});
  ASSERT_EQ(actions.size(), 1U);
  EXPECT_EQ(all_of<SendReject>(actions).at(0).reason, "of other parameters");
  EXPECT_EQ(all_of<SendAcknowledge>(deliver(coordinator, federation.answer({77, 0, 0}))).size(), 1U);
  EXPECT_EQ(all_of<SendReject>(handle(coordinator, UpdateArrived{0, &other})).size(), 1U) << "nor is it a double";
  const std::vector<Action> end = deliver(coordinator, federation.answer({77, 0, 1}));
  EXPECT_EQ(all_of<ConcludeRound>(end).at(0).report.clients, 2U);
  EXPECT_NE(all_of<SendTask>(end).at(0).digest, tasks[0].digest) << "of the next round";
}

TEST(Coordinator, AbandonsARoundWithoutAnyValidUpdate) {
  const SmallFederation federation(2, 2, 2);
  FederationState state = federation.state();
  state.global.values = {1.0F, 2.0F, 3.0F, 4.0F};
  Coordinator coordinator(federation.plan, state);
  handle(coordinator, Started{});
  handle(coordinator, ClientLost{0, "gone"});
  const std::vector<Action> actions = handle(coordinator, ClientLost{1, "gone"});
  const RoundReport report = all_of<ConcludeRound>(actions).at(0).report;
  EXPECT_TRUE(report.abandoned);
  EXPECT_EQ(report.round, 1U);
  EXPECT_EQ(report.failed, 2U);
  EXPECT_EQ(report.train_loss, 0.0);
  EXPECT_EQ(report.version, 0U);
  EXPECT_EQ(coordinator.state().version, 0U) << "it makes no version";
  EXPECT_EQ(coordinator.state().round, 1U);
  EXPECT_EQ(coordinator.state().abandoned, 1U);
  EXPECT_EQ(coordinator.state().global.values, state.global.values);
  const SendTask next = all_of<SendTask>(actions).at(0);
  EXPECT_EQ(next.task.round, 1U) << "the next round";
  EXPECT_EQ(next.version, 0U);
}

TEST(Coordinator, SendsTheSameTaskToAClientThatComesBack) {
  const SmallFederation federation(2, 2, 1);
  Coordinator coordinator(federation.plan, federation.state());
  const SendTask first = all_of<SendTask>(handle(coordinator, Started{})).at(1);
  const SendTask again = all_of<SendTask>(handle(coordinator, ClientJoined{first.client})).at(0);
  EXPECT_EQ(again.task, first.task);
  EXPECT_EQ(again.parameters, first.parameters);
  deliver(coordinator, federation.answer(first.task));
  EXPECT_TRUE(handle(coordinator, ClientJoined{first.client}).empty()) << "it has answered";
  EXPECT_TRUE(handle(coordinator, TimePassed{}).empty());
}

TEST(Coordinator, GoesOnFromASavedStateToTheSameBits) {
  const SmallFederation federation(30, 4, 6);
  Coordinator undisturbed(federation.plan, federation.state());
  EXPECT_EQ(run_to_end(federation, undisturbed).size(), 6U);

  SmallFederation half(30, 4, 3);
  Coordinator first(half.plan, half.state());
  run_to_end(half, first);
  Coordinator second(federation.plan, first.state());
  const std::vector<RoundReport> reports = run_to_end(federation, second);
  ASSERT_EQ(reports.size(), 3U);
  EXPECT_EQ(reports[0].round, 4U);
  EXPECT_EQ(second.state().global.values, undisturbed.state().global.values);
  EXPECT_TRUE(std::holds_alternative<EndFederation>(handle(second, Started{}).at(0))) << "nothing is left to do";
}

TEST(Coordinator, RefusesAPlanAndAStateThatDoNotFit) {
  const SmallFederation federation(3, 4, 1);
  EXPECT_THROW(Coordinator(federation.plan, federation.state()), std::invalid_argument);
  const SmallFederation good(4, 4, 1);
  FederationState state = good.state();
  state.global.values.resize(3);
  EXPECT_THROW(Coordinator(good.plan, state), std::invalid_argument);
  state = good.state();
  state.version = 1;
  EXPECT_THROW(Coordinator(good.plan, state), std::invalid_argument) << "more versions than rounds";
  state = good.state();
  state.strategy_state.resize(4);
  EXPECT_THROW(Coordinator(good.plan, state), std::invalid_argument);
}

TEST(Coordinator, DrawsEveryClientEquallyOftenAndNobodyTwice) {
  SmallFederation federation(40, 10, 1);
  std::vector<int> counts(40, 0);
  for (std::uint32_t round = 0; round < 4000; ++round) {
    const std::vector<std::uint32_t> cohort = Coordinator::cohort(federation.plan, round);
    ASSERT_TRUE(std::ranges::is_sorted(cohort));
    ASSERT_EQ(std::set<std::uint32_t>(cohort.begin(), cohort.end()).size(), 10U);
    for (const std::uint32_t client : cohort) ++counts.at(client);
  }
  // 1000 expected, deviation sqrt(4000 * 1/4 * 3/4) = 27.4: five of them.
  for (const int count : counts) EXPECT_NEAR(count, 1000, 137);
  federation.plan.cohort = 40;
  const std::vector<std::uint32_t> everyone = Coordinator::cohort(federation.plan, 9);
  for (std::uint32_t client = 0; client < 40; ++client) EXPECT_EQ(everyone[client], client);
}

}  // namespace
}  // namespace anybit
