// The same federation as real processes: what they end in, and what happens when they end too early. Membership is
// equal by construction: every client of a round is waited for.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include "server/coordinator.h"
#include "tests/server/tiny_scenario.h"
#include "tests/sim/idx_digits.h"
#include "tests/system/far_client.h"

namespace anybit {
namespace {

TEST(Lan, MemoryTcpAndProcessesEndInTheSameBits) {
  Lan lan;
  lan.start_server();
  lan.start_clients(0, 20);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_NE(server.out.find("accuracy in %"), std::string::npos);
  for (std::uint32_t client = 0; client < 20; ++client) {
    const Outcome outcome = lan.end_of_client(client);
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    EXPECT_NE(outcome.error.find("the server says: the run is over"), std::string::npos) << outcome.error;
  }
  const std::string model = lan.model();
  ASSERT_FALSE(model.empty());
  EXPECT_EQ(lan.simulated_model({"federation.transport=memory"}), model);
  EXPECT_EQ(lan.simulated_model({"federation.transport=tcp"}), model);
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

// The cohort of a round is drawn from all twenty, whoever is here; a process may play the part of each in turn.
TEST(Lan, AKilledClientComesBackAndTheBitsAreTheSame) {
  Lan lan({"federation.cohort=20", "federation.rounds=8"});
  lan.start_server();
  const auto far_away = start_clients_one_far_away(lan);
  for (std::uint32_t victim = 0; victim < 3; ++victim) {
    lan.wait_for_rounds(static_cast<int>(victim) + 1);
    lan.kill_client(victim);
    expect_a_run_that_goes_on(lan);
    lan.start_client(victim);
  }
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(lan.simulated_model(), lan.model());
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST(Lan, AKilledServerGoesOnAndTheBitsAreTheSame) {
  Lan lan({"federation.cohort=20", "federation.rounds=8"});
  lan.start_server();
  const auto far_away = start_clients_one_far_away(lan);
  for (int round = 1; round <= 3; ++round) {
    lan.wait_for_rounds(round);
    lan.kill_server();
    expect_a_run_that_goes_on(lan);
    lan.start_server();
  }
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(lan.simulated_model(), lan.model());
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
  for (std::uint32_t client = 0; client < 20; ++client) EXPECT_EQ(lan.end_of_client(client).code, 0);
}

TEST(Lan, AServerThatIsAskedToEndSaysHowToGoOn) {
  Lan lan({"federation.cohort=20", "federation.rounds=6"});
  lan.start_server();
  lan.start_clients(0, 20);
  lan.wait_for_rounds(1);
  lan.server().signal(SIGTERM);
  const Outcome interrupted = lan.end_of_server();
  EXPECT_EQ(interrupted.code, 130);
  EXPECT_NE(interrupted.error.find("the same command goes on from there"), std::string::npos) << interrupted.error;
  lan.start_server();
  EXPECT_EQ(lan.end_of_server().code, 0);
  EXPECT_EQ(lan.simulated_model(), lan.model());
}

TEST(Lan, ARunThatIsOverTellsThoseWhoComeLate) {
  Lan lan({"federation.cohort=20", "federation.rounds=1"});
  lan.start_server();
  lan.start_clients(0, 20);
  EXPECT_EQ(lan.end_of_server().code, 0);
  lan.start_server();
  lan.wait_for_word("may not have heard that the run is over: 20");
  std::this_thread::sleep_for(std::chrono::seconds(7));  // a client that found nobody waits up to 30 s
  lan.start_client(3);
  EXPECT_EQ(lan.end_of_client(3).code, 0);
  lan.server().signal(SIGTERM);
  EXPECT_EQ(lan.end_of_server().code, 0);
}

/// The smallest client that no round of the tiny scenario selects.
std::uint32_t client_without_task() {
  const Federation federation = tiny_federation();
  const FederationPlan plan = federation.plan();
  std::vector<bool> selected(plan.clients);
  for (std::uint32_t round = 0; round < plan.rounds; ++round)
    for (const std::uint32_t client : Coordinator::cohort(plan, round)) selected[client] = true;
  return static_cast<std::uint32_t>(std::ranges::find(selected, false) - selected.begin());
}

TEST(Lan, AClientThatLostItsLineAtTheEndHearsThatTheRunIsOver) {
  const std::uint32_t lost = client_without_task();
  const std::string name = "client " + std::to_string(lost);
  Lan lan;
  lan.start_server();
  lan.start_client(lost);
  lan.wait_for_word(name + " joined");
  lan.kill_client(lost);
  lan.wait_for_word(name + " is gone");
  lan.start_clients(0, lost);
  lan.start_clients(lost + 1, 20);
  lan.wait_for_word("may not have heard that the run is over: 1");
  lan.start_client(lost);
  const Outcome outcome = lan.end_of_client(lost);
  EXPECT_EQ(outcome.code, 0);
  EXPECT_NE(outcome.error.find("the server says: the run is over\n"), std::string::npos) << outcome.error;
  const auto heard = std::chrono::steady_clock::now();
  EXPECT_EQ(lan.end_of_server().code, 0);
  EXPECT_LT(std::chrono::steady_clock::now() - heard, std::chrono::seconds(10)) << "nobody is waited for any more";
}

// Others may be slow to start, and are given up, too: such a round is abandoned and made again, until all but the one
// that never comes are here.
TEST(Lan, AClientThatIsAwayTooLongIsGivenUp) {
  Lan lan({"federation.cohort=20", "federation.rounds=1", "federation.minimum=19", "federation.give_up=1000"});
  lan.start_server({"--grace", "1"});
  lan.start_clients(1, 20);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_NE(server.error.find("client 0 is lost: away for 1 s"), std::string::npos) << server.error;
  EXPECT_NE(lan.folder().read("server/run/metrics.jsonl").find(R"("clients": 19, "failed": 1)"), std::string::npos);
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST(Lan, AClientDeclinesWhatItsOwnerDoesNotAllow) {
  Lan lan({"federation.cohort=20", "federation.rounds=1"});
  lan.start_server();
  lan.start_client(0, {"--max-memory", "10kB"});
  lan.start_client(1, {"--max-seconds", "0.000001"});
  lan.start_client(2, {"--methods", "fedavg,qat"});
  lan.start_clients(3, 20);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_NE(server.error.find("client 0 is lost: declines: it takes "), std::string::npos) << server.error;
  EXPECT_NE(server.error.find("client 1 is lost: declines: it takes about "), std::string::npos) << server.error;
  EXPECT_NE(
      server.error.find("client 2 is lost: declines: the method 'mqat' is not allowed here; allowed: fedavg, qat"),
      std::string::npos)
      << server.error;
}

TEST(Lan, OwnDataIsReplayedWhereItIsAtHand) {
  Lan lan({"federation.cohort=20", "federation.rounds=2"});
  write_digits(lan.folder(), 200);
  use_digits(lan.folder());
  lan.start_server({"--data-dir", "../data"});
  for (const char* file : {"train-images-idx3-ubyte", "train-labels-idx1-ubyte"})
    lan.folder().write(std::string("mine/") + file, lan.folder().read(std::string("data/mnist/") + file));
  lan.start_own_client(0, {"--client", "0", "--data", "idx:../mine"});  // all two hundred
  for (std::uint32_t client = 1; client < 20; ++client) lan.start_client(client, {"--data", "idx:../data/mnist"});
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(lan.folder().run({"replay", "server/run", "--data-dir", "data", "--own", "0=idx:mine"}).code, 0);
  expect_one_complaint(lan.folder().run({"replay", "server/run", "--data-dir", "data"}),
                       {"the update of client 0 has checksum", "--own"});
  expect_one_complaint(lan.folder().run({"replay", "server/run", "--data-dir", "data", "--own", "mine"}),
                       {"K=FORMAT:FOLDER"});
}

TEST(Lan, WidthsThatAClientSaysAreReplayed) {
  Lan lan({"federation.cohort=20", "federation.rounds=6", "training.method.sampling=device"});
  lan.start_server();
  lan.start_client(0, {"--widths", "3,5"});
  lan.start_clients(1, 20);
  lan.wait_for_rounds(1);
  lan.kill_client(0);
  lan.start_client(0, {"--widths", "6"});
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_FALSE(lan.simulated_model() == lan.model()) << "they must show";
  const Outcome replay = lan.folder().run({"replay", "server/run"});
  EXPECT_EQ(replay.code, 0) << replay.error;
  std::string events = lan.folder().read("server/run/events.log");
  for (const std::string widths : {" 3,5\n", " 6\n"}) {
    const std::size_t at = events.find(widths);
    ASSERT_NE(at, std::string::npos);
    events.replace(at, widths.size(), " -\n");
  }
  lan.folder().write("server/run/events.log", events);
  expect_one_complaint(lan.folder().run({"replay", "server/run"}), {"the update of client 0 has checksum"});
}

TEST(Lan, AFullDiskIsToldAndTheLastGoodStateKept) {
  Lan lan({"federation.cohort=20", "federation.rounds=120"});
  lan.limit_files(55000);  // a checkpoint fits, and the log of so many rounds
  lan.start_server();
  lan.start_clients(0, 20);
  const Outcome full = lan.end_of_server();
  EXPECT_EQ(full.code, 1);
  EXPECT_NE(full.error.find("File too large"), std::string::npos) << full.error;
  lan.limit_files(0);
  lan.start_server();
  EXPECT_EQ(lan.end_of_server().code, 0);
  EXPECT_EQ(lan.simulated_model(), lan.model());
}

TEST(Lan, WhatIsWrongIsSaidOnceWithWhatToDo) {
  Lan lan;
  const auto client = [&](std::vector<std::string> words) {
    return Program(lan.folder().path(), words, 0, "stdout.txt", ANYBIT_CLIENT).wait();
  };
  const auto server = [&](std::vector<std::string> words) {
    return Program(lan.folder().path(), words, 0, "stdout.txt", ANYBIT_SERVER).wait();
  };
  expect_one_complaint(client({"--connect", "127.0.0.1:1", "--shard", "4/4"}), {"--shard 4/4", "3/4"});
  expect_one_complaint(client({"--connect", "127.0.0.1:1"}), {"--shard K/N", "--client K"});
  expect_one_complaint(client({"--connect", "127.0.0.1:1", "--shard", "0/4", "--methods", "fedvag"}),
                       {"--methods fedvag", "there are fedavg, kure"});
  expect_one_complaint(client({"--connect", "127.0.0.1:1", "--shard", "0/4", "--widths", "8,20"}), {"--widths", "32"});
  expect_one_complaint(client({"--connect", "192.0.2.1:7700", "--shard", "0/4"}), {"--insecure"});
  expect_one_complaint(server({"tiny.toml", "--listen", "0.0.0.0:0"}), {"--insecure", "--tls"});
  expect_one_complaint(server({"tiny.toml", "--listen", "nowhere"}), {"ADDRESS:PORT"});
  expect_one_complaint(server({"missing.toml"}), {"missing.toml"});
  lan.start_server();
  lan.wait_for_word("of 4 rounds are done");
  const std::string address = "127.0.0.1:" + std::to_string(lan.port());
  expect_one_complaint(client({"--connect", address, "--shard", "0/4"}), {"the server's scenario has 20 clients"});
  expect_one_complaint(client({"--connect", address, "--client", "20", "--data", "."}),
                       {"the server refuses this client: plays 1 clients from 20 on"});
  expect_one_complaint(server({"tiny.toml", "--listen", address}), {"cannot listen on " + address, "in use"});
}

TEST(Lan, AClientGivesUpWithTheReason) {
  Lan lan;
  const Outcome outcome =
      Program(lan.folder().path(), {"--connect", "127.0.0.1:1", "--shard", "0/20", "--give-up", "0.5"}, 0, "stdout.txt",
              ANYBIT_CLIENT)
          .wait();
  EXPECT_EQ(outcome.code, 1);
  EXPECT_NE(outcome.error.find("no word from the server"), std::string::npos) << outcome.error;
  EXPECT_NE(outcome.error.find("refused"), std::string::npos) << outcome.error;
}

TEST(Lan, WhatClientsOfOneKernelSetMadeComesOutAgainWithIt) {
  Lan lan({"data.clients=3", "federation.cohort=3", "federation.rounds=2"}, 3);
  lan.start_server({"--isa", "avx2"});
  for (std::uint32_t client = 0; client < 3; ++client) lan.start_client(client, {"--isa", "portable"});
  const Outcome server = lan.end_of_server();
  ASSERT_EQ(server.code, 0) << server.error;
  const Outcome replay = lan.folder().run({"replay", "server/run", "--isa", "portable"});
  EXPECT_EQ(replay.code, 0) << replay.error;
  EXPECT_EQ(lan.folder().run({"replay", "server/run", "--isa", "avx2"}).code, 1);
}

}  // namespace
}  // namespace anybit
