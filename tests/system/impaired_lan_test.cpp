// Real processes through a network that misbehaves: whatever happens to a connection, the run ends in the model of
// anybit-sim. Membership is equal by construction: every client of a round is waited for.
#include <gtest/gtest.h>

#include "tests/system/impairing_proxy.h"
#include "tests/system/lan.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;

// Numbers of kinds, as in wire/FORMAT.md.
constexpr int kHello = 1;
constexpr int kWelcome = 2;
constexpr int kTask = 3;
constexpr int kUpdate = 4;
constexpr int kAcknowledge = 5;
constexpr int kOffer = 8;
constexpr int kAccept = 9;

/// Three clients, client 0 of them through the proxy, whose first connection is impaired; all others are as they should
/// be where `only_first`.
struct ImpairedLan {
  explicit ImpairedLan(Impairment impairment, bool only_first = true, const std::string& heartbeat = "5")
      : lan({"data.clients=3", "federation.cohort=3", "federation.rounds=2"}, 3) {
    lan.start_server({"--heartbeat", heartbeat});
    proxy = std::make_unique<ImpairingProxy>(
        lan.port(), [=](int connection) { return connection == 0 || !only_first ? impairment : Impairment{}; });
    lan.wait_for_word("rounds are done");  // or the first connection hears that the server is recovering
    lan.start_clients(1, 3);
    lan.lead_clients_to(proxy->port());
    lan.start_client(0);
  }

  void expect_the_simulated_model() {
    const Outcome server = lan.end_of_server();
    EXPECT_EQ(server.code, 0) << server.error;
    said_by_server = server.error;
    for (std::uint32_t client = 0; client < 3; ++client) {
      const Outcome outcome = lan.end_of_client(client);
      EXPECT_EQ(outcome.code, 0) << outcome.error;
      said += outcome.error;
    }
    EXPECT_EQ(lan.simulated_model(), lan.model());
    EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
  }

  Lan lan;
  std::unique_ptr<ImpairingProxy> proxy;
  std::string said;  // by the clients
  std::string said_by_server;
};

struct Cut {
  const char* name;
  FramePlace place;
};

struct ImpairedLanCut : testing::TestWithParam<Cut> {};

TEST_P(ImpairedLanCut, ACutConnectionComesAgainAndTheBitsAreTheSame) {
  for (const bool reset : {false, true}) {
    ImpairedLan impaired({.cut = GetParam().place, .reset = reset});
    impaired.expect_the_simulated_model();
    EXPECT_GE(impaired.proxy->connections(), 2) << "it was not cut";
  }
}

INSTANTIATE_TEST_SUITE_P(Places, ImpairedLanCut,
                         testing::Values(Cut{"BeforeHello", {false, kHello, 0}}, Cut{"InHello", {false, kHello, 30}},
                                         Cut{"InWelcome", {true, kWelcome, 200}}, Cut{"InOffer", {true, kOffer, 50}},
                                         Cut{"InAccept", {false, kAccept, 10}},
                                         Cut{"InTheTasksBulk", {true, kTask, 20000}},
                                         Cut{"InTheUpdatesBulk", {false, kUpdate, 5000}},
                                         Cut{"InAcknowledge", {true, kAcknowledge, 20}}),
                         [](const auto& cut) { return std::string(cut.param.name); });

TEST(ImpairedLan, TwoHundredMillisecondsEachWayChangeNothing) {
  ImpairedLan impaired({.delay = milliseconds{200}}, false);
  impaired.expect_the_simulated_model();
  EXPECT_EQ(impaired.proxy->connections(), 1);
}

/// Nothing comes from one side any more, for longer than three heartbeats, and the connection does not end.
TEST(ImpairedLan, AStallOfTheServersBytesIsNoticedByTheClient) {
  ImpairedLan impaired({.stall = FramePlace{true, kTask, 20000}}, true, "0.4");
  impaired.expect_the_simulated_model();
  EXPECT_GE(impaired.proxy->connections(), 2);
  EXPECT_NE(impaired.said.find("lost the server: it was silent for too long"), std::string::npos) << impaired.said;
}

TEST(ImpairedLan, AStallOfTheClientsBytesIsNoticedByTheServer) {
  // Between frames: one that was begun has more time than silence.
  ImpairedLan impaired({.stall = FramePlace{false, kAccept, 0}}, true, "0.4");
  impaired.expect_the_simulated_model();
  EXPECT_GE(impaired.proxy->connections(), 2);
  EXPECT_NE(impaired.said_by_server.find("client 0 is gone: was silent for too long"), std::string::npos)
      << impaired.said_by_server;
}

TEST(ImpairedLan, AStallThatEndsInTimeIsWaitedFor) {
  ImpairedLan impaired({.stall = FramePlace{true, kTask, 20000}, .stall_time = milliseconds{1500}});
  impaired.expect_the_simulated_model();
  EXPECT_EQ(impaired.proxy->connections(), 1);
}

}  // namespace
}  // namespace anybit
