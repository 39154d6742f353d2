// What an idle connection costs the server: the clients are another process, so that all that grows here is the
// server's.
#include <malloc.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <deque>

#include "tests/server/tls_fixture.h"

namespace anybit {
namespace {

constexpr int kConnections = 200;
constexpr std::size_t kMost = std::size_t{40} << 10;  // bytes for each; 64 KiB are allowed, buffers that stay are not

std::size_t bytes_in_use() {
  const struct mallinfo2 now = ::mallinfo2();
  return now.uordblks + now.hblkhd;
}

/// In a process of its own, so that all that grows in the test's is the server's: connects, says Hello, sends an update
/// each and then does nothing until the pipe ends.
[[noreturn]] void be_clients(const TlsSettings& files, std::uint16_t port, int pipe_end) {
  std::deque<Connection> connections;
  Welcome welcome;
  Message message;
  const Bytes update = encode_frame(update_of(3, 20000));
  for (int i = 0; i < kConnections; ++i) {
    Connection& connection = connections.emplace_back(FrameLimits{}, files);
    if (!connection.connect("127.0.0.1", port, kLong).empty() ||
        !connection.greet({.client = 3}, welcome, kLong).empty() || !connection.send(update, kLong).empty() ||
        !connection.receive(message, kLong).empty())
      ::_exit(1);
  }
  std::array<char, 1> nothing = {};
  static_cast<void>(::read(pipe_end, nothing.data(), 1));
  ::_exit(0);
}

TEST_F(TlsSessions, AnIdleConnectionKeepsNoBuffers) {
  Server server(encrypted());
  server.on_update = [&](ConnectionId connection, const UpdateMessage& update) {
    server.sessions.send(connection, Acknowledge{update.id});
  };
  EXPECT_EQ(answer_to(server, client_3, {.client = 3}).reason, "");  // what is made once is made now
  ASSERT_TRUE(server.serve_until([&] { return server.sessions.open() == 0; }));
  std::array<int, 2> pipe = {};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t clients = ::fork();
  ASSERT_GE(clients, 0);
  if (clients == 0) {
    ::close(pipe[1]);
    be_clients(client_3, server.sessions.port(), pipe[0]);
  }
  server.heard.clear();
  server.heard.reserve(std::size_t{3} * kConnections);
  const std::size_t before = bytes_in_use();
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (server.heard.size() < std::size_t{2} * kConnections && std::chrono::steady_clock::now() < end)
    server.sessions.poll(kTurn);
  server.serve_for(milliseconds{50});
  EXPECT_EQ(server.sessions.open(), static_cast<std::size_t>(kConnections));
  const std::size_t each = (bytes_in_use() - before) / kConnections;
  EXPECT_LE(each, kMost);
  std::printf("an idle connection in TLS costs the server %zu bytes\n", each);
  ::close(pipe[0]);
  ::close(pipe[1]);
  int status = 0;
  ASSERT_EQ(::waitpid(clients, &status, 0), clients);
  EXPECT_EQ(status, 0);
}

TEST_F(TlsSessions, APeerThatSaysNothingCostsAlmostNothing) {
  Server server(encrypted());
  EXPECT_EQ(answer_to(server, client_3, {.client = 3}).reason, "");
  ASSERT_TRUE(server.serve_until([&] { return server.sessions.open() == 0; }));
  const std::size_t before = bytes_in_use();
  std::deque<RawSocket> silent;
  for (int i = 0; i < kConnections; ++i) {
    silent.emplace_back(server.sessions.port());
    server.sessions.poll(milliseconds{0});
  }
  ASSERT_TRUE(server.serve_until([&] { return server.sessions.open() == silent.size(); }));
  server.serve_for(milliseconds{20});
  EXPECT_LE((bytes_in_use() - before) / kConnections, std::size_t{4} << 10);
}

}  // namespace
}  // namespace anybit
