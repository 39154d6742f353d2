// What the documentation says of a server and its clients beside the bits that they end in.
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include "tests/system/lan.h"

namespace anybit {
namespace {

std::string said_by(const Lan& lan, int client) {
  return lan.folder().read("client" + std::to_string(client) + "/stderr.txt");
}

/// Training takes longer than either side may be silent; and the run of a server is drawn like any other.
TEST(LanWords, WhoTrainsIsHeardAndTheRunIsDrawn) {
  Lan lan({"data.clients=1", "federation.cohort=1", "federation.rounds=1", "training.method.name=fedavg",
           "training.epochs=200000"},
          1);
  lan.start_server({"--heartbeat", "0.3"});
  lan.start_client(0);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(server.error.find("is gone"), std::string::npos) << server.error;
  EXPECT_EQ(lan.end_of_client(0).code, 0);
  EXPECT_EQ(said_by(lan, 0).find("lost the server"), std::string::npos) << said_by(lan, 0);
  const std::string said = said_by(lan, 0);
  const std::string before = "examples in ";
  ASSERT_NE(said.find(before), std::string::npos) << said;
  EXPECT_GT(std::stod(said.substr(said.find(before) + before.size())), 1.0) << "three heartbeats are 0.9 s";
  const Outcome drawn = lan.folder().run({"plot", "server/run"});
  EXPECT_EQ(drawn.code, 0) << drawn.error;
  EXPECT_TRUE(lan.folder().has("server/run/accuracy_by_width.png"));
}

TEST(LanWords, AClientThatComesWhileDataIsLoadedHearsSo) {
  Lan lan(
      {"data.clients=1", "data.examples=30000", "federation.cohort=1", "federation.rounds=1", "training.batch=1000"},
      1);
  lan.start_server();
  lan.server().signal(SIGSTOP);
  lan.start_client(0);
  ::usleep(300000);  // it has said Hello
  lan.server().signal(SIGCONT);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(lan.end_of_client(0).code, 0);
  EXPECT_NE(said_by(lan, 0).find("the server says: recovering; trying again"), std::string::npos) << said_by(lan, 0);
}

TEST(LanWords, AServerThatMayOpenTooFewFilesSaysHowManyClientsCanBeHere) {
  const Lan lan;
  const std::string command =
      "ulimit -n 160 && exec \"$0\" tiny.toml --listen 127.0.0.1:0 --state run --set "
      "data.clients=200 --set data.partition.name=writer --threads 1";
  Program server(lan.folder().path(), {"-c", command, ANYBIT_SERVER}, 0, "stdout.txt", "sh");
  const std::string word =
      "this system allows 160 open files, so of 200 clients no more than 96 can be here at once; "
      "`ulimit -Hn` raises it\n";
  server.wait_until([&] { return lan.folder().read("stderr.txt").find("rounds are done") != std::string::npos; });
  server.signal(SIGTERM);
  const Outcome outcome = server.wait();
  EXPECT_EQ(outcome.code, 130);
  EXPECT_NE(outcome.error.find(word), std::string::npos) << outcome.error;
}

}  // namespace
}  // namespace anybit
