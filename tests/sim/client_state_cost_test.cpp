#include "sim/client_state_cost.h"

#include <gtest/gtest.h>

#include "sim/cost_report.h"
#include "sim/memory_cost.h"
#include "tests/sim/stateful_federation.h"

namespace anybit {
namespace {

constexpr double kEach = 4.0 * (1 + 12730);

TEST(ClientStateCost, IsOfThoseThatCountedAndThoseAtWork) {
  const ClientStateCost two_rounds = client_state_cost(stateful({"federation.rounds=2"}));
  EXPECT_EQ(two_rounds.each, kEach);
  EXPECT_EQ(two_rounds.total(), (12 + 6) * kEach);
  EXPECT_EQ(client_state_cost(stateful({"federation.rounds=1000"})).total(), (20 + 6) * kEach) << "there are 20";
  EXPECT_EQ(client_state_cost(stateful({"federation.over_selection=1.7"})).total(), (20 + 11) * kEach);
  EXPECT_EQ(client_state_cost(stateful({"federation.rounds=2", "federation.aggregation.name=fedbuff",
                                        "federation.aggregation.concurrency=10"}))
                .total(),
            (12 + 10 + 5) * kEach)
      << "ten train, and five wait for the sixth";
}

TEST(ClientStateCost, IsInMemoryAsFarAsTheLimitAllows) {
  const auto parts = [](const std::string& memory) {
    const ClientStateCost cost = client_state_cost(stateful({"limits.client_memory=" + memory}));
    return std::pair(cost.memory / kEach, cost.disk / kEach);
  };
  EXPECT_EQ(parts("256MB"), std::pair(26.0, 0.0));
  EXPECT_EQ(parts("160kB"), std::pair(3.0, 23.0));
  EXPECT_EQ(parts("0"), std::pair(0.0, 26.0));
}

TEST(ClientStateCost, IsNothingWhereNothingIsKept) {
  const Federation federation = tiny_federation({"limits.client_state=0"});
  EXPECT_EQ(client_state_cost(federation).total(), 0);
  EXPECT_EQ(client_state_cost(federation).index, 0);
  EXPECT_NO_THROW(refuse_large_client_states(federation));
}

TEST(ClientStateCost, AboveTheLimitIsRefused) {
  const std::string most = "limits.client_state=" + std::to_string(26 * 50924);
  EXPECT_NO_THROW(refuse_large_client_states(stateful({most})));
  try {
    refuse_large_client_states(stateful({"limits.client_state=1MB"}));
    FAIL() << "26 states of 50.9 kB are more";
  } catch (const ScenarioError& error) {
    EXPECT_EQ(std::string(error.what()),
              "--set limits.client_state: 1.0 MB is less than what clients may keep between their rounds, 1.3 MB (26 "
              "states of 50.9 kB); raise it where the disk has room, or take fewer clients or rounds, a smaller cohort "
              "or a smaller network");
  }
}

TEST(ClientStateCost, IsPartOfTheMemoryOfARun) {
  const Federation few = stateful({"limits.client_memory=160kB"});
  EXPECT_NEAR(memory_cost(few, 2).clients, (3 + 2) * kEach, 20 * 400) << "with what each thread plays, and an index";
  const Federation all = stateful();
  EXPECT_NEAR(memory_cost(all, 2).clients, (26 + 2) * kEach, 20 * 400);
  EXPECT_EQ(memory_cost(all, 2).checkpoint, kEach + 4 * 12730.0) << "the model, and one client's state at a time";
}

TEST(ClientStateCost, IsReported) {
  const std::string report = cost_report(stateful({"limits.client_memory=160kB"}), 1);
  EXPECT_NE(report.find("; each client keeps 50.9 kB between rounds, all at most 1.3 MB: 152.8 kB in memory, 1.2 MB on "
                        "the disk\n"),
            std::string::npos)
      << report;
  EXPECT_NE(report.find(", clients "), std::string::npos) << report;
  EXPECT_NE(cost_report(tiny_federation(), 1).find("; clients keep none between rounds\n"), std::string::npos);
}

}  // namespace
}  // namespace anybit
