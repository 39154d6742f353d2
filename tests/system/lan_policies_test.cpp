// Rounds of real processes that do not wait for everybody.
#include <gtest/gtest.h>

#include <chrono>

#include "tests/system/lan.h"

namespace anybit {
namespace {

TEST(LanPolicies, WhoeverIsTooLateHearsItAndTheLogIsReplayed) {
  Lan lan({"federation.cohort=6", "federation.over_selection=3", "federation.rounds=6"});
  lan.start_server();
  lan.start_clients(0, 20);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  for (std::uint32_t client = 0; client < 20; ++client) EXPECT_EQ(lan.end_of_client(client).code, 0);
  const std::string metrics = lan.folder().read("server/run/metrics.jsonl");
  EXPECT_NE(metrics.find(R"("clients": 6, "failed": 0, "released": 12)"), std::string::npos) << metrics;
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST(LanPolicies, TheDeadlineEndsARoundWithoutThoseWhoAreAway) {
  Lan lan({"federation.cohort=20", "federation.rounds=2", "federation.deadline=4", "federation.minimum=15"});
  lan.start_server();
  lan.start_clients(1, 20);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  const std::string metrics = lan.folder().read("server/run/metrics.jsonl");
  EXPECT_NE(metrics.find(R"("clients": 19, "failed": 0, "released": 1)"), std::string::npos) << metrics;
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST(LanPolicies, ItGivesUpWhereNobodyComesAndTriesAgain) {
  Lan lan({"federation.cohort=20", "federation.rounds=1", "federation.deadline=1", "federation.give_up=2"});
  lan.start_server({"--grace", "3"});  // without anybody no deadline passes
  const Outcome alone = lan.end_of_server();
  EXPECT_EQ(alone.code, 1);
  EXPECT_NE(alone.error.find("gave up at version 0 of 1: the last 2 rounds were abandoned: no update was valid (at "
                             "last: client 0 is lost: away for 3 s); the same command tries again"),
            std::string::npos)
      << alone.error;
  EXPECT_FALSE(lan.folder().has("server/run/model.ckpt"));
  lan.start_clients(0, 20);
  for (int tries = 0; tries < 20 && !lan.folder().has("server/run/model.ckpt"); ++tries) {
    lan.start_server();
    lan.end_of_server();
  }
  EXPECT_TRUE(lan.folder().has("server/run/model.ckpt"));
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

/// A few of many train at a time, and most of the others are away: each comes when it was told to, and hears the end.
TEST(LanPolicies, ClientsThatAreNotNeededComeAndGo) {
  const std::vector<std::string> paced = {"data.clients=8",      "federation.cohort=2", "federation.rounds=8",
                                          "federation.pace=1.0", "training.epochs=500", "training.optimizer.rate=0.01"};
  std::vector<std::string> asynchronous = paced;
  asynchronous.insert(asynchronous.end(),
                      {"federation.aggregation.name=fedbuff", "federation.aggregation.concurrency=3"});
  for (const std::vector<std::string>& settings : {paced, asynchronous}) {
    Lan lan(settings, 8);
    lan.start_server();
    lan.start_clients(0, 8);
    const Outcome server = lan.end_of_server();
    EXPECT_EQ(server.code, 0) << server.error;
    int sent_away = 0;
    for (std::uint32_t client = 0; client < 8; ++client) {
      const Outcome outcome = lan.end_of_client(client);
      EXPECT_EQ(outcome.code, 0) << outcome.error;
      if (outcome.error.find("the server says: not needed now") != std::string::npos) ++sent_away;
    }
    EXPECT_GE(sent_away, 4);
    EXPECT_EQ(server.error.find("is lost: "), std::string::npos) << server.error;
    const std::string metrics = lan.folder().read("server/run/metrics.jsonl");
    EXPECT_EQ(metrics.find("\"failed\": 1"), std::string::npos) << metrics;
    EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
  }
}

/// The evaluation takes longer than a round may. Before the first one rounds may be abandoned: clients take their time
/// to come.
TEST(LanPolicies, AnEvaluationIsNotInTheNextRoundsTime) {
  constexpr double kDeadline = 1.5;
  Lan lan({"data.clients=2", "federation.cohort=2", "federation.rounds=2", "federation.deadline=1.5",
           "federation.minimum=2", "federation.give_up=20", "evaluate.every=1",
           "evaluate.weights=[2,3,4,5,6,7,8,9,10,11,12,13,14,15,16]", "evaluate.activations=[8,7,6,5,4,3,2,32]",
           "evaluate.range=[\"minmax\",\"mse\",\"percentile\"]", "evaluate.granularity=[\"tensor\",\"channel\"]"},
          2);
  const std::string mark = "\"accuracy\"";
  const auto metrics = [&] { return lan.folder().read("server/run/metrics.jsonl"); };
  lan.start_server();
  lan.start_clients(0, 2);
  lan.server().wait_until([&] { return metrics().find(mark) != std::string::npos; });
  const auto begin = std::chrono::steady_clock::now();
  const std::size_t first = metrics().find(mark);
  lan.server().wait_until([&] { return metrics().find(mark, first + 1) != std::string::npos; });
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  const std::string second = metrics().substr(metrics().find('\n', first));
  EXPECT_EQ(second.find("abandoned"), std::string::npos) << second;
  const std::string before = "\"seconds\": ";
  const double round = std::stod(second.substr(second.find(before) + before.size()));
  EXPECT_LT(round, kDeadline);
  if (passed.count() - round < kDeadline) GTEST_SKIP() << "machine: tests models faster than a round's deadline";
}

}  // namespace
}  // namespace anybit
