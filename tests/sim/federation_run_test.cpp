#include "sim/federation_run.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

struct Way {
  const char* cohort;
  int threads;
  const char* transport;
};

FederationState run(const Way& way, std::vector<std::string>* events = nullptr) {
  const Federation federation = tiny_federation(
      {std::string("federation.cohort=") + way.cohort, std::string("federation.transport=") + way.transport});
  return run_all(federation, way.threads, [&](const LoggedEvent& event) {
    if (events) events->push_back(to_line(event));
  });
}

class Ways : public testing::TestWithParam<Way> {};

TEST_P(Ways, EndInTheSameBits) {
  std::vector<std::string> expected_events;
  std::vector<std::string> events;
  const FederationState expected = run({GetParam().cohort, 1, "memory"}, &expected_events);
  const FederationState got = run(GetParam(), &events);
  EXPECT_EQ(got.version, 4U);
  EXPECT_EQ(got.global.values, expected.global.values);
  EXPECT_EQ(got.strategy_state, expected.strategy_state);
  EXPECT_EQ(events, expected_events);
}

INSTANTIATE_TEST_SUITE_P(All, Ways,
                         testing::Values(Way{"1", 2, "memory"}, Way{"3", 2, "memory"}, Way{"10", 2, "memory"},
                                         Way{"20", 3, "memory"}, Way{"1", 1, "tcp"}, Way{"3", 2, "tcp"},
                                         Way{"10", 2, "tcp"}),
                         [](const testing::TestParamInfo<Way>& way) {
                           return "Cohort" + std::string(way.param.cohort) + "Threads" +
                                  std::to_string(way.param.threads) + way.param.transport;
                         });

TEST(FederationRun, LearnsSomething) {
  const Federation federation = tiny_federation({"data.shade=0"});
  FederationRun run(federation, federation.first_state(), 1);
  std::vector<double> losses;
  while (const auto record = run.next_round()) losses.push_back(record->report.train_loss);
  ASSERT_EQ(losses.size(), 4U);
  EXPECT_LT(losses.back(), losses.front());
}

TEST(FederationRun, CountsTheBytesOfFrames) {
  for (const char* transport : {"memory", "tcp"}) {
    const Federation federation = tiny_federation({std::string("federation.transport=") + transport});
    FederationRun run(federation, federation.first_state(), 2);
    const auto record = run.next_round();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->report.clients, 3U);
    // 12,730 floats a task; the uplink has 8 bits a weight, so a quarter of it and some.
    const double downlink = 4.0 * static_cast<double>(federation.training.layout->size());
    EXPECT_NEAR(static_cast<double>(record->bytes_down), 3 * downlink, 1000) << transport;
    EXPECT_NEAR(static_cast<double>(record->bytes_up), 3 * downlink / 4, 2000) << transport;
  }
}

TEST(FederationRun, StopsBeforeAWaveAndGoesOnFromItsState) {
  const Federation federation = tiny_federation();
  const FederationState expected = run_all(federation);
  FederationRun first(federation, federation.first_state(), 1);
  ASSERT_TRUE(first.next_round());
  EXPECT_FALSE(first.next_round([] { return true; }));
  EXPECT_EQ(first.state().version, 1U);
  EXPECT_FALSE(first.finished());
  FederationRun second(federation, first.state(), 1);
  while (second.next_round()) {}
  EXPECT_TRUE(second.finished());
  EXPECT_EQ(second.state().global.values, expected.global.values);
}

TEST(FederationRun, TellsWhyUpdatesDoNotCount) {
  // A rate at which the network explodes: what is not finite must not be added.
  const Federation federation = tiny_federation({"training.optimizer.rate=1e30", "training.method.name=fedavg"});
  FederationRun run(federation, federation.first_state(), 1);
  const auto record = run.next_round();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->report.failed, 3U);
  EXPECT_TRUE(record->report.abandoned);
  EXPECT_TRUE(std::isnan(record->report.train_loss)) << "a mean over nobody";
  EXPECT_EQ(record->failures.size(), 3U);
}

TEST(FederationRun, PlaysACohortOfAnyNumberOfWriters) {
  const Federation federation =
      tiny_federation({"data.partition.name=writer", "data.clients=1000000", "federation.rounds=1"});
  EXPECT_EQ(run_all(federation).version, 1U);
}

}  // namespace
}  // namespace anybit
