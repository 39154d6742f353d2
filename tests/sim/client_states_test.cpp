// Runs of a method whose clients keep something between their rounds.
#include "sim/client_states.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "sim/replay.h"
#include "tests/server/states_in_memory.h"
#include "tests/sim/stateful_federation.h"
#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

std::vector<float> kept_in(const FederationRun& run) { return all_states(&run.client_states(), run.state().counted); }

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
    EXPECT_EQ(kept_in(one), kept_in(two));
  }
  EXPECT_EQ(run_all(stateful()).global.values, run_all(stateful({"federation.transport=tcp"}), 2).global.values);
}

TEST(ClientStateRun, AClientsStateIsThatOfItsUpdatesThatCounted) {
  for (const std::vector<std::string>& policy : kPolicies) {
    const Federation federation = stateful(policy);
    FederationRun run(federation, federation.first_state(), 2);
    std::map<std::uint32_t, float> times;
    while (run.next_round()) {
      for (const CountedClient& client : run.state().counted)
        if (client.counted == run.state().round) ++times[client.client];
      FloatBuffer kept(run.client_states().floats());
      for (const CountedClient& client : run.state().counted) {
        run.client_states().read(client, kept);
        EXPECT_EQ(kept[0], times[client.client]) << "its counter";
      }
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
      FederationRun rest(federation, first.state(), 1, {}, {&first.client_states()});
      while (rest.next_round()) {}
      EXPECT_EQ(compare_states(whole.state(), rest.state()), "") << rounds;
      EXPECT_EQ(kept_in(whole), kept_in(rest)) << rounds;
    }
  }
}

TEST(ClientStateRun, DoesNotGoOnWithoutTheStates) {
  const Federation federation = stateful();
  FederationRun first(federation, federation.first_state(), 1);
  ASSERT_TRUE(first.next_round());
  EXPECT_THROW(FederationRun(federation, first.state(), 1), std::invalid_argument);
  const std::vector<float> none(kept_in(first).size(), 0.0F);
  const StatesInMemory zeros(first.state().counted, none);
  FederationRun lost(federation, first.state(), 1, {}, {&zeros});
  while (lost.next_round()) {}
  EXPECT_NE(lost.state().global.values, run_all(federation).global.values) << "a state that is lost must show";
}

TEST(ClientStateRun, IsReplayed) {
  for (std::vector<std::string> policy : kPolicies) {
    policy.emplace_back("limits.client_memory=150kB");  // three of them
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

// All on the disk, three of about fifty kilobytes in memory and the rest on the disk, all in memory.
TEST(ClientStateRun, EndsInTheSameBitsWhereverTheStatesLie) {
  std::vector<std::vector<std::string>> policies = kPolicies;
  policies.push_back({"federation.aggregation.name=fedbuff", "federation.aggregation.concurrency=9"});
  for (const std::vector<std::string>& policy : policies) {
    SCOPED_TRACE(policy.empty() ? "plain" : policy[0]);
    const auto federation_with = [&](const std::string& memory) {
      std::vector<std::string> settings = policy;
      settings.push_back("limits.client_memory=" + memory);
      return stateful(settings);
    };
    const Federation in_memory = federation_with("1GB");
    FederationRun whole(in_memory, in_memory.first_state(), 1);
    while (whole.next_round()) {}
    for (const char* memory : {"0", "160kB"}) {
      const Federation federation = federation_with(memory);
      FederationRun first(federation, federation.first_state(), 2);
      for (int round = 0; round < 3; ++round) ASSERT_TRUE(first.next_round());
      FederationRun rest(federation, first.state(), 2, {}, {&first.client_states()});
      while (rest.next_round()) {}
      EXPECT_EQ(compare_states(whole.state(), rest.state()), "") << memory;
      EXPECT_EQ(kept_in(whole), kept_in(rest)) << memory;
      while (first.next_round()) {}
      EXPECT_EQ(kept_in(whole), kept_in(first)) << memory;
    }
  }
}

TEST(ClientStateRun, SaysWhatWasKeptBeforeTheLastRoundToo) {
  const Federation federation = stateful({"limits.client_memory=160kB"});
  FederationRun run(federation, federation.first_state(), 2);
  for (int round = 0; round < 4; ++round) {
    const std::vector<CountedClient> before = run.state().counted;
    const std::vector<float> kept = kept_in(run);
    ASSERT_TRUE(run.next_round());
    EXPECT_EQ(all_states(&run.client_states(), before), kept) << round;
    EXPECT_NE(kept_in(run), kept) << round;
  }
}

using Floats = std::vector<float>;

Floats current_of(ClientStates& states, std::uint32_t client) {
  Floats values(states.floats());
  states.of(client).copy_current(values);
  return values;
}

TEST(ClientStates, KeepAVersionOfAClientAndTheOneBeforeUntilSomebodyPlays) {
  ClientStates states(2);
  FederationState state;
  for (std::uint32_t round = 0; round < 3; ++round) {
    states.prepare(3);
    EXPECT_EQ(states.of(3).previous().name, 0U);
    states.of(3).propose(round, Floats{1.0F + static_cast<float>(round), 2});
    state.counted = {{3, round + 1}};
    states.settle(state);
    EXPECT_EQ(states.of(3).current().name, round + 1);
    EXPECT_EQ(current_of(states, 3), (Floats{1.0F + static_cast<float>(round), 2}));
    EXPECT_FALSE(states.of(3).pending());
    EXPECT_EQ(states.of(3).previous().name, round);
  }
  EXPECT_EQ(states.slots()->in_memory(), 2U) << "used again";
}

TEST(ClientStates, FreeTheSlotsOfWhatDoesNotCount) {
  ClientStates states(2, {.memory = 16});  // two of them
  FederationState state;
  for (std::uint32_t round = 0; round < 5; ++round) {
    for (std::uint32_t client = 0; client < 4; ++client) {
      states.prepare(10 * round + client);
      states.of(10 * round + client).propose(round, Floats{static_cast<float>(client), 2});
    }
    if (round == 0) state.counted = {{2, 1}};
    states.settle(state);
  }
  EXPECT_EQ(current_of(states, 2), (Floats{2, 2}));
  EXPECT_EQ(states.slots()->in_memory(), 2U);
  EXPECT_EQ(states.slots()->on_disk(), 3U) << "one that counts and four at work";
}

TEST(ClientStates, RestoreWhatAnotherKept) {
  const std::vector<CountedClient> counted = {{2, 5}, {9, 3}};
  const StatesInMemory saved(counted, {1, 2, 3, 4});
  ClientStates states(2);
  FederationState state;
  state.counted = counted;
  states.restore(state, &saved);
  EXPECT_EQ(all_states(&states, counted), (Floats{1, 2, 3, 4}));
  EXPECT_EQ(states.of(9).current().name, 3U);
  EXPECT_FALSE(states.of(9).has(2));
  EXPECT_THROW(ClientStates(3).restore(state, &saved), std::invalid_argument);
  EXPECT_THROW(ClientStates(0).restore(state, &saved), std::invalid_argument);
  EXPECT_THROW(ClientStates(2).restore(state, nullptr), std::invalid_argument);
}

}  // namespace
}  // namespace anybit
