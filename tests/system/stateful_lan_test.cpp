// Real processes with a method whose clients keep something between their rounds: a state that is lost, doubled or
// skipped changes the model.
#include <gtest/gtest.h>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "tests/system/far_client.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kEverybody = {"training.method.name=stateful", "federation.cohort=20",
                                             "federation.rounds=8"};

std::string folder_of(std::uint32_t client) { return "client" + std::to_string(client); }

/// Where the client keeps its state; "" where it has none.
fs::path state_file(const Lan& lan, std::uint32_t client) {
  const fs::path folder = lan.folder().path() / folder_of(client) / "client-state";
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored))
    if (entry.path().extension() == ".state") return entry.path();
  return {};
}

bool has_said(const Lan& lan, std::uint32_t client, const std::string& word) {
  return lan.folder().read(folder_of(client) + "/stderr.txt").find(word) != std::string::npos;
}

void wait_for_word(const Lan& lan, std::uint32_t client, const std::string& word) {
  lan.client(client).wait_until([&] { return has_said(lan, client, word); });
}

void expect_the_simulators_model(Lan& lan) {
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(server.error.find("is lost"), std::string::npos) << server.error;
  ASSERT_FALSE(lan.model().empty());
  EXPECT_EQ(lan.simulated_model(), lan.model());
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST(StatefulLan, MemoryTcpAndProcessesEndInTheSameBits) {
  Lan lan({"training.method.name=stateful", "federation.cohort=8", "federation.rounds=8"});
  lan.start_server();
  lan.start_clients(0, 20);
  expect_the_simulators_model(lan);
  EXPECT_EQ(lan.simulated_model({"federation.transport=tcp"}), lan.model());
  EXPECT_NE(lan.simulated_model({"training.method.name=fedavg"}), lan.model());
}

TEST(StatefulLan, TheLimitOfWhatClientsKeepIsTheSimulators) {
  Lan lan({"training.method.name=stateful", "federation.cohort=20", "federation.rounds=2", "limits.client_state=0"});
  lan.start_server();
  lan.start_clients(0, 20);
  EXPECT_EQ(lan.end_of_server().code, 0) << "a server keeps nothing";
  EXPECT_EQ(lan.simulated_model({"limits.client_state=1GB"}), lan.model());
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST(StatefulLan, AServerThatIsKilledGoesOnToTheSameBits) {
  Lan lan(kEverybody);
  lan.start_server();
  const auto far_away = start_clients_one_far_away(lan);
  for (int round = 1; round <= 4; ++round) {
    lan.wait_for_rounds(round);
    ::usleep(static_cast<useconds_t>(3000 * round));
    lan.kill_server();
    expect_a_run_that_goes_on(lan);
    lan.start_server();
  }
  expect_the_simulators_model(lan);
}

/// Tasks that the killed server gave after its last checkpoint are given again, or never; states go by what is counted.
TEST(StatefulLan, AnAsynchronousServerThatIsKilledGoesOnToWhatAReplayMakes) {
  Lan lan({"training.method.name=stateful", "data.clients=6", "federation.cohort=2", "federation.rounds=24",
           "federation.aggregation.name=fedbuff", "federation.aggregation.concurrency=4", "training.epochs=300",
           "training.optimizer.rate=0.01"},
          6);
  lan.start_server();
  lan.start_clients(0, 6);
  for (int kill = 1; kill <= 4; ++kill) {
    lan.wait_for_rounds(3 * kill);
    ::usleep(static_cast<useconds_t>(20000 * kill));
    lan.kill_server();
    lan.start_server();
  }
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(server.error.find("is lost"), std::string::npos) << server.error;
  const Outcome replay = lan.folder().run({"replay", "server/run"});
  EXPECT_EQ(replay.code, 0) << replay.error;
}

TEST(StatefulLan, AClientThatIsKilledOnceItsStateIsWrittenEndsInTheSameBits) {
  Lan lan(kEverybody);
  lan.start_server();
  const auto far_away = start_clients_one_far_away(lan);
  for (std::uint32_t victim = 0; victim < 4; ++victim) {
    // Trained, and the update is about to be sent, or on its way.
    const fs::path file = state_file(lan, victim);
    const auto before = file.empty() ? fs::file_time_type() : fs::last_write_time(file);
    lan.client(victim).wait_until([&] {
      const fs::path now = state_file(lan, victim);
      return !now.empty() && fs::last_write_time(now) != before;
    });
    lan.kill_client(victim);
    expect_a_run_that_goes_on(lan);
    lan.start_client(victim);
    lan.wait_for_rounds(static_cast<int>(victim) + 1);
  }
  expect_the_simulators_model(lan);
}

TEST(StatefulLan, AClientThatIsKilledBeforeItsAnswerIsAcknowledgedEndsInTheSameBits) {
  // One client: what the server is at tells what it has sent. It trains for about half a second.
  Lan lan({"training.method.name=stateful", "data.clients=1", "federation.cohort=1", "federation.rounds=4",
           "training.epochs=10000"},
          1);
  lan.start_server();
  lan.start_client(0);
  for (int round = 1; round <= 3; ++round) {
    const std::string trained = "round " + std::to_string(round) + ": trained on";  // said once the state is written
    lan.wait_for_rounds(round - 1);
    lan.server().wait_until([&] { return lan.folder().read("server/run/lock").starts_with("training"); });
    lan.server().signal(SIGSTOP);  // whatever the client sends from now on lies unread
    EXPECT_FALSE(has_said(lan, 0, trained)) << "the server may have the update";
    wait_for_word(lan, 0, trained);
    EXPECT_FALSE(state_file(lan, 0).empty());
    lan.kill_client(0);
    lan.server().signal(SIGCONT);
    expect_a_run_that_goes_on(lan);
    lan.start_client(0);
  }
  expect_the_simulators_model(lan);
}

TEST(StatefulLan, ServerAndClientsKilledTogetherEndInTheSameBits) {
  Lan lan(kEverybody);
  lan.start_server();
  const auto far_away = start_clients_one_far_away(lan);
  for (std::uint32_t round = 1; round <= 3; ++round) {
    lan.wait_for_rounds(static_cast<int>(round));
    lan.kill_server();
    for (std::uint32_t victim = 5 * round; victim < 5 * round + 5; ++victim) lan.kill_client(victim);
    expect_a_run_that_goes_on(lan);
    lan.start_server();
    lan.start_clients(5 * round, 5 * round + 5);
  }
  expect_the_simulators_model(lan);
}

/// Flips a bit in the server's checkpoint of this round.
void damage_checkpoint(const Lan& lan, std::size_t round) {
  const std::string path = fmt::format("server/run/checkpoints/checkpoint-{:06}.ckpt", round);
  std::string bytes = lan.folder().read(path);
  ASSERT_FALSE(bytes.empty()) << path;
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  lan.folder().write(path, bytes);
}

// A round that waits for client 19: all others have their task, so none keeps its state of before as the current one.
TEST(StatefulLan, AServerThatGoesBackOneCheckpointEndsInTheSameBits) {
  Lan lan({"training.method.name=stateful", "federation.cohort=20", "federation.rounds=12"});
  lan.start_server();
  lan.start_clients(0, 20);
  lan.wait_for_rounds(3);  // the third checkpoint may not be there yet, the second is
  lan.kill_client(19);
  lan.kill_server();
  lan.start_server();
  lan.wait_for_word("rounds are done");
  const std::string metrics = lan.folder().read("server/run/metrics.jsonl");
  const auto done = static_cast<std::size_t>(std::ranges::count(metrics, '\n'));
  for (std::uint32_t client = 0; client < 19; ++client)
    wait_for_word(lan, client, fmt::format("round {}: trained", done + 1));
  lan.kill_server();
  damage_checkpoint(lan, done);
  lan.kill_client(3);  // reads its state again
  lan.start_server();
  lan.wait_for_word(fmt::format("checkpoint-{:06}.ckpt: section", done));
  lan.wait_for_word("; going on from the one before");
  lan.start_client(3);
  lan.start_client(19);
  expect_the_simulators_model(lan);
}

/// A run that has made a round, stopped; and this client's state is gone, or damaged.
struct LostState : testing::Test {
  Lan lan{kEverybody};
  std::unique_ptr<ImpairingProxy> far_away;
  LostState() {
    lan.start_server();
    far_away = start_clients_one_far_away(lan);
    lan.wait_for_rounds(2);
    lan.kill_server();
    lan.kill_client(3);
    expect_a_run_that_goes_on(lan);
  }

  std::string words_of_client() const { return lan.folder().read("client3/stderr.txt"); }
  bool ends_as_it_should() {
    const std::string model = lan.model();
    return !model.empty() && lan.simulated_model() == model;
  }
};

TEST_F(LostState, IsSaidAndTheClientDeclines) {
  fs::remove_all(lan.folder().path() / "client3/client-state");
  lan.start_client(3);
  lan.start_server();
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_NE(server.error.find("client 3 is lost: declines: it has no state, the server counts on version "),
            std::string::npos)
      << server.error;
  EXPECT_EQ(lan.end_of_client(3).code, 0);
  EXPECT_NE(words_of_client().find("declines: it has no state, the server counts on version "), std::string::npos)
      << words_of_client();
  EXPECT_FALSE(ends_as_it_should()) << "its updates are missing";
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST_F(LostState, BeginsAfreshWhereItsOwnerSaysSo) {
  fs::remove_all(lan.folder().path() / "client3/client-state");
  lan.start_client(3, {"--fresh-state"});
  lan.start_server();
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_EQ(server.error.find("is lost"), std::string::npos) << server.error;
  EXPECT_NE(words_of_client().find("; it begins afresh, at zeros (--fresh-state)"), std::string::npos)
      << words_of_client();
  EXPECT_FALSE(ends_as_it_should()) << "a state that was lost must show";
  const Outcome replay = lan.folder().run({"replay", "server/run"});
  EXPECT_EQ(replay.code, 0) << replay.error;
  EXPECT_NE(replay.out.find("; updates of clients that began afresh: 1\n"), std::string::npos) << replay.out;
}

TEST_F(LostState, IsOneThatIsDamaged) {
  const fs::path file = state_file(lan, 3);
  ASSERT_FALSE(file.empty());
  std::string bytes = lan.folder().read("client3/client-state/" + file.filename().string());
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  lan.folder().write("client3/client-state/" + file.filename().string(), bytes);
  lan.start_client(3, {"--state", "client-state"});
  lan.start_server();
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_NE(words_of_client().find("its state is lost: client-state/"), std::string::npos) << words_of_client();
  EXPECT_NE(words_of_client().find(": is damaged (checksum)"), std::string::npos) << words_of_client();
  EXPECT_NE(server.error.find("client 3 is lost: declines: it has no state"), std::string::npos) << server.error;
}

TEST(StatefulLan, AStateThatCannotBeWrittenIsSaidAndNothingIsSent) {
  Lan lan({"training.method.name=stateful", "federation.cohort=20", "federation.rounds=1"});
  lan.start_server();
  lan.folder().write("client3/in-the-way", "a file");
  lan.start_client(3, {"--state", "in-the-way/deep"});
  lan.start_clients(0, 3);
  lan.start_clients(4, 20);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  EXPECT_NE(server.error.find("client 3 is lost: declines: cannot make in-the-way: "), std::string::npos)
      << server.error;
}

TEST(StatefulLan, AServerThatStartsAnewIsFollowed) {
  Lan lan(kEverybody);
  lan.start_server();
  const auto far_away = start_clients_one_far_away(lan);
  lan.wait_for_rounds(2);
  lan.kill_server();
  lan.start_server({"--force"});
  expect_the_simulators_model(lan);
}

}  // namespace
}  // namespace anybit
