// A server that is watched while it runs.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/server/exposition.h"
#include "tests/system/lan.h"
#include "tests/wire/raw_socket.h"

namespace anybit {
namespace {

std::uint16_t metrics_port(const Lan& lan) {
  const std::string before = "metrics at http://127.0.0.1:";
  lan.wait_for_word(before);
  lan.wait_for_word("/metrics");
  const std::string said = lan.folder().read("server/stderr.txt");
  return static_cast<std::uint16_t>(std::stoi(said.substr(said.find(before) + before.size())));
}

/// What a scraper hears.
Exposition scrape(std::uint16_t port) {
  RawSocket peer(port);
  const std::string request = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n\r\n";
  peer.send({reinterpret_cast<const std::uint8_t*>(request.data()), request.size()});
  const Bytes bytes = peer.receive_all();
  const std::string answer(bytes.begin(), bytes.end());
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  Exposition page = read_exposition(answer.substr(answer.find("\r\n\r\n") + 4));
  EXPECT_EQ(page.mistakes, std::vector<std::string>{});
  return page;
}

const std::vector<std::string> kWatched = {"--metrics", "127.0.0.1:0"};

TEST(MetricsLan, TheServerTellsHowItIs) {
  Lan lan({"federation.cohort=20", "federation.rounds=3", "evaluate.every=1"});
  lan.start_server(kWatched);
  const std::uint16_t port = metrics_port(lan);
  lan.wait_for_word("of 3 rounds are done");
  lan.start_clients(0, 19);
  // The last client is missing: the first round waits.
  Exposition page = scrape(port);
  lan.server().wait_until([&] {
    page = scrape(port);
    return page.value("anybit_updates_total", R"({outcome="accepted"})") == 19;
  });
  EXPECT_EQ(page.value("anybit_clients"), 20);
  EXPECT_EQ(page.value("anybit_clients_here"), 19);
  EXPECT_EQ(page.value("anybit_connections_open"), 19);
  EXPECT_EQ(page.value("anybit_round"), 0);
  EXPECT_EQ(page.value("anybit_rounds_planned"), 3);
  EXPECT_EQ(page.value("anybit_round_clients", R"({state="at_work"})"), 0);
  EXPECT_EQ(page.value("anybit_round_clients", R"({state="away"})"), 1);
  EXPECT_EQ(page.value("anybit_phase", R"({phase="training"})"), 1);
  EXPECT_FALSE(page.series.contains("anybit_round_seconds"));
  EXPECT_GT(page.value("anybit_sent_bytes_total"), page.value("anybit_received_bytes_total") / 2);
  EXPECT_GT(page.value("anybit_received_bytes_total"), 19 * 100);
  EXPECT_GT(page.value("process_resident_memory_bytes"), 1e6);
  EXPECT_LT(page.value("process_resident_memory_bytes"), 1e9);
  EXPECT_GT(page.value("process_start_time_seconds"), 1.7e9);

  lan.kill_client(5);
  lan.start_client(19);
  lan.server().wait_until([&] {
    page = scrape(port);
    return page.value("anybit_round") == 1 && page.value("anybit_round_clients", R"({state="away"})") == 1;
  });
  EXPECT_EQ(page.value("anybit_version"), 1);
  EXPECT_EQ(page.value("anybit_clients_here"), 19);
  EXPECT_GT(page.value("anybit_round_seconds"), 0);
  EXPECT_GT(page.value("anybit_train_loss"), 0);
  EXPECT_EQ(page.value("anybit_accuracy_version"), 1);
  EXPECT_FALSE(page.series.at("anybit_accuracy_ratio").samples.empty());

  // What was measured before a restart is there after it.
  lan.kill_server();
  lan.start_server(kWatched);
  lan.wait_for_word("of 3 rounds are done");
  const std::uint16_t again = metrics_port(lan);
  lan.server().wait_until([&] { return scrape(again).value("anybit_version") == 1; });
  EXPECT_EQ(scrape(again).series.at("anybit_accuracy_ratio").samples, page.series.at("anybit_accuracy_ratio").samples);

  lan.start_client(5);
  EXPECT_EQ(lan.end_of_server().code, 0);
  EXPECT_EQ(lan.simulated_model(), lan.model());  // whoever watches changes nothing
}

TEST(MetricsLan, WhoIsTurnedAwayIsCountedByReason) {
  Lan lan;
  lan.encrypt("3");
  EXPECT_EQ(lan.provision({"revoke", "3"}).code, 0);
  lan.start_server(kWatched);
  const std::uint16_t port = metrics_port(lan);
  lan.wait_for_word("of 4 rounds are done");
  const std::vector<std::filesystem::path> revoked(
      std::filesystem::directory_iterator(lan.folder().path() / "keys/revoked"), {});
  ASSERT_EQ(revoked.size(), 1U);
  lan.start_client(3, {"--tls", revoked[0]});
  EXPECT_EQ(lan.end_of_client(3).code, 1);
  const Exposition page = scrape(port);
  EXPECT_EQ(page.value("anybit_connections_refused_total", R"({reason="not_allowed"})"), 1);
  EXPECT_EQ(page.value("anybit_connections_turned_away_total"), 1);
}

TEST(MetricsLan, BeyondThisMachineMustBeTyped) {
  const Lan lan;
  const auto server = [&](const std::vector<std::string>& more) {
    std::vector<std::string> words = {"tiny.toml", "--listen", "127.0.0.1:0"};
    words.insert(words.end(), more.begin(), more.end());
    return Program(lan.folder().path(), words, 0, "stdout.txt", ANYBIT_SERVER).wait();
  };
  expect_one_complaint(server({"--metrics", "0.0.0.0:0"}), {"--metrics 0.0.0.0:0", "plain HTTP", "--insecure"});
  expect_one_complaint(server({"--metrics", "9400"}), {"--metrics 9400: has no port"});
  expect_one_complaint(server({"--metrics", "127.0.0.1:port"}),
                       {"--metrics 127.0.0.1:port: the port must be a number up to 65535"});
}

}  // namespace
}  // namespace anybit
