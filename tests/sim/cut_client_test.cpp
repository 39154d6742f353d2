// A client that holds most of its round, through the whole federation in this process.
#include <gtest/gtest.h>

#include <cstring>

#include "sim/replay.h"
#include "tests/sim/whole_run.h"
#include "wire/chunks.h"

namespace anybit {
namespace {

/// A client with 50 of the 60 examples, two with 5 each, and a network that is worth cutting.
Federation skewed_federation(std::vector<std::string> more = {}) {
  std::vector<std::string> settings = {
      "data.clients=3",     "data.partition.name=quantity",   "data.partition.alpha=1e-6", "data.partition.minimum=5",
      "model.name=resnet8", "training.method.activations=32", "federation.rounds=2"};
  settings.insert(settings.end(), more.begin(), more.end());
  return tiny_federation(settings);
}

bool same(const FederationState& a, const FederationState& b) {
  return a.global.values.size() == b.global.values.size() &&
         std::memcmp(a.global.values.data(), b.global.values.data(), a.global.values.size() * sizeof(float)) == 0;
}

TEST(CutClients, AreCutByTheirShareOfTheRound) {
  const Federation federation = skewed_federation();
  std::vector<std::uint32_t> examples;
  for (std::uint32_t client = 0; client < 3; ++client) examples.push_back(federation.data->examples(client));
  const auto cut = client_to_cut(examples);
  ASSERT_TRUE(cut);
  EXPECT_EQ(examples[*cut], 50U);
  EXPECT_EQ(federation.plan().chunks, 4U);
  Coordinator coordinator(federation.plan(), federation.first_state());
  std::vector<Action> actions;
  coordinator.handle(Started{}, 0, actions);
  for (const Action& action : actions) {
    const auto& send = std::get<SendTask>(action);
    EXPECT_EQ(send.chunks, send.client == *cut ? 4U : 1U);
  }
  EXPECT_EQ(skewed_federation({"training.method.activations=8"}).plan().chunks, 1U) << "ranges are statistics";
}

TEST(CutClients, GiveTheSameBitsForAnyNumberOfThreads) {
  const Federation federation = skewed_federation();
  std::vector<LoggedEvent> events;
  const FederationState one = run_all(federation, 1, [&](const LoggedEvent& event) { events.push_back(event); });
  EXPECT_TRUE(same(run_all(federation, 2), one));
  EXPECT_TRUE(same(run_all(federation, 3), one));
  for (const int threads : {1, 2})
    EXPECT_TRUE(same(run_all(skewed_federation({"federation.transport=tcp"}), threads), one));
  Replay replay(federation, events, 2);
  EXPECT_EQ(replay.run(), "");
  EXPECT_EQ(compare_states(one, replay.state()), "");
}

}  // namespace
}  // namespace anybit
