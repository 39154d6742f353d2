// Who counted last, for clients that keep something between their rounds.
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/server/by_hand.h"
#include "tests/server/small_federation.h"

namespace anybit {
namespace {

using Counted = std::vector<CountedClient>;

struct CountedClients : testing::Test {
  SmallFederation federation{3, 3, 9};
  CountedClients() { federation.plan.client_state = true; }

  /// What the tasks among these actions name, by client.
  static std::vector<std::uint32_t> named(const std::vector<Action>& actions) {
    std::vector<std::uint32_t> counts;
    for (const SendTask& send : all_of<SendTask>(actions)) counts.push_back(send.counted);
    return counts;
  }
};

TEST_F(CountedClients, FollowTheConclusionOfTheirRound) {
  Coordinator coordinator(federation.plan, federation.state());
  EXPECT_EQ(named(handle(coordinator, Started{})), (std::vector<std::uint32_t>{0, 0, 0}));
  deliver(coordinator, federation.answer({77, 0, 2}));
  EXPECT_EQ(coordinator.state().counted, Counted{}) << "the round is in progress";
  deliver(coordinator, federation.answer({77, 0, 0}));
  EXPECT_EQ(named(handle(coordinator, ClientLost{1, "gone"})), (std::vector<std::uint32_t>{1, 0, 1}));
  EXPECT_EQ(coordinator.state().counted, (Counted{{0, 1}, {2, 1}}));
  deliver(coordinator, federation.answer({77, 1, 1}));
  deliver(coordinator, federation.answer({77, 1, 2}));
  EXPECT_EQ(named(handle(coordinator, ClientJoined{0})), std::vector<std::uint32_t>{1}) << "the same task again";
  EXPECT_EQ(named(handle(coordinator, ClientLost{0, "gone"})), (std::vector<std::uint32_t>{1, 2, 2}));
  EXPECT_EQ(coordinator.state().counted, (Counted{{0, 1}, {1, 2}, {2, 2}}));
  EXPECT_EQ(counted(coordinator.state(), 1), 2U);
  EXPECT_EQ(counted(coordinator.state(), 3), 0U);
}

TEST_F(CountedClients, AnAbandonedRoundCountsForNobodyAndKeepsItsNumber) {
  federation.plan.policy.minimum = 2;
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  deliver(coordinator, federation.answer({77, 0, 0}));
  handle(coordinator, ClientLost{1, "gone"});
  EXPECT_EQ(named(handle(coordinator, ClientLost{2, "gone"})), (std::vector<std::uint32_t>{0, 0, 0}));
  EXPECT_EQ(coordinator.state().counted, Counted{});
  for (std::uint32_t client = 0; client < 3; ++client) deliver(coordinator, federation.answer({77, 1, client}));
  EXPECT_EQ(coordinator.state().counted, (Counted{{0, 2}, {1, 2}, {2, 2}})) << "named by the round, not the version";
}

TEST_F(CountedClients, NeitherRefusedNorReleasedNorLateOnesAreAmongThem) {
  federation.plan.cohort = 1;
  federation.plan.policy.over_selection = 3;
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  UpdateMessage broken = federation.answer({77, 0, 0});
  broken.examples = 0;
  deliver(coordinator, broken);
  deliver(coordinator, federation.answer({77, 0, 1}));
  deliver(coordinator, federation.answer({77, 0, 2}));
  deliver(coordinator, federation.answer({77, 0, 0}));
  EXPECT_EQ(coordinator.state().counted, (Counted{{1, 1}}));
}

TEST_F(CountedClients, GoOnFromASavedState) {
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  for (std::uint32_t client = 0; client < 2; ++client) deliver(coordinator, federation.answer({77, 0, client}));
  handle(coordinator, ClientLost{2, "gone"});
  Coordinator resumed(federation.plan, coordinator.state());
  EXPECT_EQ(named(handle(resumed, Started{})), (std::vector<std::uint32_t>{1, 1, 0}));
}

TEST_F(CountedClients, AreNotKeptWhereClientsKeepNothing) {
  federation.plan.client_state = false;
  Coordinator coordinator(federation.plan, federation.state());
  handle(coordinator, Started{});
  for (std::uint32_t client = 0; client < 2; ++client) deliver(coordinator, federation.answer({77, 0, client}));
  const std::vector<Action> actions = deliver(coordinator, federation.answer({77, 0, 2}));
  EXPECT_EQ(named(actions), (std::vector<std::uint32_t>{0, 0, 0}));
  EXPECT_EQ(coordinator.state().counted, Counted{});
  FederationState state = federation.state();
  state.counted = {{0, 1}};
  EXPECT_THROW(Coordinator(federation.plan, state), std::invalid_argument);
}

}  // namespace
}  // namespace anybit
