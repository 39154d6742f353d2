#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "server/record/resume.h"
#include "sim/recorded_run.h"
#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

/// Cuts every TCP line of this process: what a failing machine would do to them.
void cut_all_lines() {
  for (int file = 3; file < 1024; ++file) {
    struct sockaddr_in peer = {};
    socklen_t size = sizeof peer;
    if (::getpeername(file, reinterpret_cast<sockaddr*>(&peer), &size) == 0 && peer.sin_family == AF_INET)
      ::shutdown(file, SHUT_RDWR);
  }
}

std::string failure_of(FederationRun& run) {
  try {
    while (run.next_round()) {}
  } catch (const TransportError& error) {
    return error.what();
  }
  return "none";
}

TEST(TcpTransport, ACutLineIsAnErrorAndNoLoss) {
  const Federation federation = tiny_federation({"federation.transport=tcp", "federation.cohort=10"});
  const FederationState expected = run_all(federation);
  for (const int threads : {1, 2}) {
    int losses = 0;
    int updates = 0;
    FederationRun run(federation, federation.first_state(), threads, [&](const LoggedEvent& event) {
      if (event.kind == LoggedEvent::Kind::kLost) ++losses;
      if (event.kind == LoggedEvent::Kind::kUpdate && ++updates == 25) cut_all_lines();
    });
    const std::string failure = failure_of(run);
    EXPECT_TRUE(failure.starts_with("transport tcp: ")) << failure;
    EXPECT_TRUE(failure.ends_with("; go on with --resume")) << failure;
    EXPECT_EQ(losses, 0);
    ASSERT_GE(run.state().version, 2U);
    ASSERT_LT(run.state().version, 4U);
    FederationRun rest(federation, run.state(), threads);
    EXPECT_EQ(failure_of(rest), "none");
    EXPECT_EQ(rest.state().global.values, expected.global.values);
  }
}

TEST(TcpTransport, ARunThatFailsKeepsItsLastRound) {
  const Federation federation = tiny_federation({"federation.transport=tcp"});
  const FederationState expected = run_all(federation);
  std::string name = (std::filesystem::temp_directory_path() / "anybit_tcp_XXXXXX").string();
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const RunDirectory directory(name);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> nowhere(std::fopen("/dev/null", "w"), &std::fclose);
  for (const bool resume : {false, true}) {
    StartingPoint start = find_starting_point(directory, federation.scenario, WhoTrains::kThisProcess, resume, !resume);
    FederationState state = prepare_directory(directory, federation, start);
    EXPECT_EQ(state.version, resume ? 2U : 0U);
    Progress progress(nowhere.get(), standing_after(state.version, 4, ""));
    RecordedRun run(federation, directory, std::move(state), start.kernels, 1);
    int tasks = 0;  // three a round
    const auto cut_before_round_3 = [&] {
      if (++tasks == 7) cut_all_lines();
      return false;
    };
    if (resume)
      EXPECT_TRUE(run.run([] { return false; }, progress));
    else
      EXPECT_THROW(run.run(cut_before_round_3, progress), TransportError);
  }
  EXPECT_EQ(read_checkpoint(directory.model().string()).state.global.values, expected.global.values);
  std::filesystem::remove_all(name);
}

TEST(TcpTransport, SaysWhyTheServerEndedALine) {
  const Federation federation = tiny_federation();
  const std::unique_ptr<Transport> transport = make_tcp_transport(federation, 1);
  UpdateMessage foreign;
  foreign.id = {federation.run, 0, 20};  // of the clients 0 to 19
  ReceivedUpdate received;
  try {
    transport->carry_update(0, foreign, received);
    FAIL() << "carried";
  } catch (const TransportError& error) {
    EXPECT_EQ(std::string(error.what()),
              "transport tcp: answered for client 20, which it does not play; go on with --resume");
  }
}

}  // namespace
}  // namespace anybit
