// Asynchronous rounds of real processes: the order of arrival decides, and the log keeps it.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/system/lan.h"

namespace anybit {
namespace {

const std::vector<std::string> kFedBuff = {"federation.aggregation.name=fedbuff", "federation.cohort=2"};
const std::vector<std::string> kFedAsync = {"federation.aggregation.name=fedasync", "federation.cohort=1"};

/// Three of four are always at work, and one or two updates make a version: so most are behind.
std::vector<std::string> three_of_four(std::vector<std::string> aggregation) {
  aggregation.insert(aggregation.end(),
                     {"data.clients=4", "federation.aggregation.concurrency=3", "federation.rounds=20",
                      "federation.deadline=30", "training.epochs=500", "training.optimizer.rate=0.01"});
  return aggregation;
}

void expect_a_run_that_is_replayed(Lan& lan) {
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_TRUE(lan.folder().has("server/run/model.ckpt"));
  const Outcome replay = lan.folder().run({"replay", "server/run"});
  EXPECT_EQ(replay.code, 0) << replay.error;
}

TEST(AsynchronousLan, SlowClientsCountAndTheLogIsReplayed) {
  for (const std::vector<std::string>& aggregation : {kFedBuff, kFedAsync}) {
    Lan lan(three_of_four(aggregation), 4);
    lan.start_server();
    lan.start_clients(0, 4);
    lan.wait_for_rounds(2);
    lan.client(0).signal(SIGSTOP);
    lan.client(1).signal(SIGSTOP);
    ::usleep(300000);
    lan.client(0).signal(SIGCONT);
    lan.client(1).signal(SIGCONT);
    expect_a_run_that_is_replayed(lan);
    for (std::uint32_t client = 0; client < 4; ++client) {
      const Outcome outcome = lan.end_of_client(client);
      EXPECT_EQ(outcome.code, 0) << outcome.error;
    }
    const std::string metrics = lan.folder().read("server/run/metrics.jsonl");
    EXPECT_NE(metrics.find(R"("staleness": {"mean": )"), std::string::npos) << metrics;
  }
}

/// Who comes back after the end, because it was not needed, does not hear of it.
TEST(AsynchronousLan, AKilledServerGoesOnAndTheLogIsReplayed) {
  Lan lan(three_of_four(kFedBuff), 4);
  lan.start_server();
  lan.start_clients(0, 4);
  for (int kill = 1; kill <= 3; ++kill) {
    lan.wait_for_rounds(2 * kill);
    lan.kill_server();
    lan.start_server();
  }
  expect_a_run_that_is_replayed(lan);
}

TEST(AsynchronousLan, AKilledClientComesBack) {
  Lan lan(three_of_four(kFedBuff), 4);
  lan.start_server();
  lan.start_clients(0, 4);
  for (std::uint32_t victim = 0; victim < 2; ++victim) {
    lan.wait_for_rounds(3 * static_cast<int>(victim + 1));
    lan.kill_client(victim);
    lan.start_client(victim);
  }
  expect_a_run_that_is_replayed(lan);
}

}  // namespace
}  // namespace anybit
