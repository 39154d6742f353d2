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

/// The metrics of a whole run without its seconds, and its state.
std::pair<std::vector<std::string>, FederationState> lines_and_state(const Federation& federation, int threads) {
  FederationRun run(federation, federation.first_state(), threads);
  std::vector<std::string> lines;
  while (auto record = run.next_round()) {
    record->seconds = 0;
    lines.push_back(metrics_line(*record));
  }
  return {lines, run.state()};
}

// How far ahead of its time a client is played depends on the number of threads; what is recorded does not.
TEST(FederationRun, CountsTheSameForAnyNumberOfThreadsWhereClientsAreReleased) {
  const std::vector<std::string> settings =
      explosive_with({"federation.cohort=5", "federation.over_selection=4", "federation.minimum=3"});
  const Federation federation = tiny_federation(settings);
  const auto [lines, state] = lines_and_state(federation, 1);
  EXPECT_EQ(state.version, 4U);
  EXPECT_NE(lines.front().find("\"released\": "), std::string::npos) << lines.front();
  for (const int threads : {2, 3}) EXPECT_EQ(lines_and_state(federation, threads).first, lines) << threads;
  std::vector<std::string> over_tcp = settings;
  over_tcp.emplace_back("federation.transport=tcp");
  const auto [tcp_lines, tcp_state] = lines_and_state(tiny_federation(over_tcp), 2);
  EXPECT_EQ(tcp_lines, lines);
  EXPECT_EQ(tcp_state.global.values, state.global.values);
}

TEST(FederationRun, CountsTheTaskOfAClientThatIsReleased) {
  const auto first = [](const std::string& over_selection) {
    const Federation federation = tiny_federation({"federation.over_selection=" + over_selection});
    return *FederationRun(federation, federation.first_state(), 1).next_round();
  };
  const RoundRecord plain = first("1");
  const RoundRecord wide = first("2");
  EXPECT_EQ(plain.report.released, 0U);
  EXPECT_EQ(wide.report.released, 3U);
  EXPECT_EQ(wide.report.clients, 3U);
  EXPECT_EQ(wide.bytes_up, plain.bytes_up);
  const double downlink = static_cast<double>(plain.bytes_down);
  EXPECT_NEAR(static_cast<double>(wide.bytes_down), 2 * downlink, 0.01 * downlink);
}

TEST(FederationRun, ReplacesThoseThatFail) {
  const Federation federation = tiny_federation(explosive_with(
      {"federation.cohort=5", "federation.minimum=4", "federation.deadline=9", "federation.replace_until=0.5"}));
  FederationRun run(federation, federation.first_state(), 1);
  const auto record = run.next_round();
  ASSERT_TRUE(record);
  EXPECT_GT(record->report.failed, 0U);
  EXPECT_EQ(record->report.replaced, record->report.failed);
  EXPECT_EQ(record->report.clients, 5U);
}

TEST(FederationRun, GivesUp) {
  const Federation federation = tiny_federation(
      {"training.optimizer.rate=1e30", "training.method.name=fedavg", "federation.give_up=3", "federation.deadline=1"});
  FederationRun run(federation, federation.first_state(), 1);
  for (std::uint32_t round = 1; round <= 3; ++round) {
    const auto record = run.next_round();
    ASSERT_TRUE(record);
    EXPECT_EQ(record->report.round, round);
    EXPECT_EQ(record->report.version, 0U);
    EXPECT_EQ(run.gave_up(), round == 3);
  }
  EXPECT_FALSE(run.next_round());
  EXPECT_TRUE(run.finished());
}

TEST(FederationRun, PlaysACohortOfAnyNumberOfWriters) {
  const Federation federation =
      tiny_federation({"data.partition.name=writer", "data.clients=1000000", "federation.rounds=1"});
  EXPECT_EQ(run_all(federation).version, 1U);
}

}  // namespace
}  // namespace anybit
