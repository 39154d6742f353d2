// Runs of a method whose clients keep something between their rounds.
#include "sim/client_states.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "sim/cost_report.h"
#include "sim/memory_cost.h"
#include "sim/replay.h"
#include "tests/quant/counter_and_residual.h"
#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

/// Cohorts overlap, so that states matter.
const std::vector<std::string> kRound = {"training.method.name=fedavg", "federation.cohort=6", "federation.rounds=5"};

Federation stateful(std::vector<std::string> more = {}) {
  more.insert(more.begin(), kRound.begin(), kRound.end());
  Federation federation = tiny_federation(more);
  federation.training.method.client_state = std::make_shared<const CounterAndResidual>();
  return federation;
}

FloatBuffer joined(const ClientStateViews& views) {
  FloatBuffer all;
  for (const std::span<const float> view : views) all.insert(all.end(), view.begin(), view.end());
  return all;
}

/// With over-selection some tasks are played and never handed over; in the last, updates are refused and rounds
/// abandoned.
const std::vector<std::vector<std::string>> kPolicies = {
    {},
    {"federation.over_selection=1.7"},
    {"federation.transport=tcp"},
    {"training.optimizer.rate=300", "federation.strategy.rate=1e-9", "federation.minimum=2", "federation.give_up=9"}};

TEST(ClientStateRun, EndsInTheSameBitsWithOneThreadAndTwo) {
  for (const std::vector<std::string>& policy : kPolicies) {
    SCOPED_TRACE(policy.empty() ? "plain" : policy[0]);
    const Federation federation = stateful(policy);
    FederationRun one(federation, federation.first_state(), 1);
    while (one.next_round()) {}
    FederationRun two(federation, federation.first_state(), 2);
    while (two.next_round()) {}
    EXPECT_EQ(compare_states(one.state(), two.state()), "");
    EXPECT_EQ(joined(one.client_states()), joined(two.client_states()));
  }
  EXPECT_EQ(run_all(stateful()).global.values, run_all(stateful({"federation.transport=tcp"}), 2).global.values);
}

TEST(ClientStateRun, AClientsStateIsThatOfItsUpdatesThatCounted) {
  for (const std::vector<std::string>& policy : kPolicies) {
    const Federation federation = stateful(policy);
    FederationRun run(federation, federation.first_state(), 2);
    std::map<std::uint32_t, float> times;
    std::vector<CountedClient> before;
    while (run.next_round()) {
      for (const CountedClient& client : run.state().counted)
        if (client.counted == run.state().round) ++times[client.client];
      const ClientStateViews views = run.client_states();
      ASSERT_EQ(views.size(), run.state().counted.size());
      for (std::size_t i = 0; i < views.size(); ++i)
        EXPECT_EQ(views[i][0], times[run.state().counted[i].client]) << "its counter";
    }
    EXPECT_GT(times.size(), 5U);
    EXPECT_EQ(run.state().version, 5U);
    EXPECT_EQ(run.state().round > 5, policy.size() == 4) << "rounds are abandoned there";
  }
}

TEST(ClientStateRun, GoesOnToTheSameBits) {
  for (const std::vector<std::string>& policy : kPolicies) {
    SCOPED_TRACE(policy.empty() ? "plain" : policy[0]);
    const Federation federation = stateful(policy);
    FederationRun whole(federation, federation.first_state(), 1);
    while (whole.next_round()) {}
    for (int rounds = 1; rounds < 5; ++rounds) {
      FederationRun first(federation, federation.first_state(), 2);
      for (int round = 0; round < rounds; ++round) ASSERT_TRUE(first.next_round());
      int asked = 0;
      EXPECT_FALSE(first.next_round([&] { return ++asked > 3; })) << "in the middle of the next one";
      const FloatBuffer saved = joined(first.client_states());
      FederationRun rest(federation, first.state(), 1, {}, saved);
      while (rest.next_round()) {}
      EXPECT_EQ(compare_states(whole.state(), rest.state()), "") << rounds;
      EXPECT_EQ(joined(whole.client_states()), joined(rest.client_states())) << rounds;
    }
  }
}

TEST(ClientStateRun, DoesNotGoOnWithoutTheStates) {
  const Federation federation = stateful();
  FederationRun first(federation, federation.first_state(), 1);
  ASSERT_TRUE(first.next_round());
  EXPECT_THROW(FederationRun(federation, first.state(), 1), std::invalid_argument);
  const FloatBuffer zeros(joined(first.client_states()).size(), 0.0F);
  FederationRun lost(federation, first.state(), 1, {}, zeros);
  while (lost.next_round()) {}
  EXPECT_NE(lost.state().global.values, run_all(federation).global.values) << "a state that is lost must show";
}

TEST(ClientStateRun, IsReplayed) {
  for (const std::vector<std::string>& policy : kPolicies) {
    const Federation federation = stateful(policy);
    std::vector<LoggedEvent> events;
    const FederationState logged = run_all(federation, 2, [&](const LoggedEvent& event) { events.push_back(event); });
    for (const int threads : {1, 2}) {
      Replay replay(federation, events, threads);
      EXPECT_EQ(replay.run(), "");
      EXPECT_EQ(compare_states(logged, replay.state()), "");
    }
  }
}

TEST(ClientStates, KeepOneVersionOfAClientBetweenTheRounds) {
  ClientStates states(2);
  FederationState state;
  for (std::uint32_t round = 0; round < 3; ++round) {
    states.prepare(3);
    states.of(3).propose(round, std::vector<float>{1, 2});
    state.counted = {{3, round + 1}};
    states.settle(state);
    EXPECT_EQ(states.of(3).current().name, round + 1);
    EXPECT_FALSE(states.of(3).pending());
    EXPECT_EQ(states.of(3).previous().name, 0U);
  }
}

TEST(ClientStateRun, WhatItTakesIsCounted) {
  const Federation federation = stateful({"federation.rounds=2"});
  const double client = 4.0 * static_cast<double>(1 + federation.training.layout->size());
  const MemoryCost cost = memory_cost(federation, 2);
  EXPECT_EQ(cost.clients, (12 + 6 + 2) * client) << "two rounds of six, what one of them makes, and two threads";
  const Federation many = stateful({"federation.rounds=1000"});
  EXPECT_EQ(memory_cost(many, 2).clients, (20 + 6 + 2) * client) << "there are no more than 20";
  const std::string report = cost_report(federation, 1);
  EXPECT_NE(report.find("; each client keeps 50.9 kB between rounds\n"), std::string::npos) << report;
  EXPECT_NE(report.find(", clients "), std::string::npos) << report;
}

}  // namespace
}  // namespace anybit
