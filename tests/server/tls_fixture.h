#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "client/connection.h"
#include "tests/server/session_server.h"
#include "tests/wire/certificates.h"

namespace anybit {

/// A server in TLS whose allow-list has client-3 and client-4, and their certificates.
class TlsSessions : public testing::Test {
 protected:
  TlsSessions() {
    allow({"client-3", "client-4"});
    server_files.allowed = folder.path("allowed");
  }

  void allow(const std::vector<std::string>& names) const {
    std::string text;
    for (const std::string& name : names) text += name + " " + fingerprint_of(folder.path(name + ".crt")) + "\n";
    folder.write("allowed", text);
  }

  /// Has the server's settings ask for TLS, on top of a test's own change.
  Server::Change encrypted(const Server::Change& more = {}) const {
    return [files = server_files, more](SessionSettings& settings) {
      settings.tls = files;
      if (more) more(settings);
    };
  }

  const TestFolder folder;
  const TestAuthority authority{folder, "ca"};
  TlsSettings server_files = authority.issue("server", server_wish());
  const TlsSettings client_3 = authority.issue("client-3", {.name = "client-3"});
  const TlsSettings client_4 = authority.issue("client-4", {.name = "client-4"});
};

/// Does the client's part in a thread of its own while the server is served, and gives what it returned.
template <class Part>
auto while_served(Server& server, Part part) {
  decltype(part()) result{};
  std::atomic<bool> done = false;
  std::thread client([&] {
    result = part();
    done = true;
  });
  EXPECT_TRUE(server.serve_until([&] { return done.load(); }));
  client.join();
  return result;
}

/// What a client hears when it connects and says Hello, and whether trying again is in vain.
struct Answer {
  std::string reason;
  bool refused = false;
};
inline Answer answer_to(Server& server, const std::optional<TlsSettings>& tls, const Hello& hello,
                        const std::string& host = "127.0.0.1") {
  return while_served(server, [&, port = server.sessions.port()] {
    Connection connection({}, tls);
    Welcome welcome;
    std::string reason = connection.connect(host, port, kLong);
    if (reason.empty()) reason = connection.greet(hello, welcome, kLong);
    const std::string where = host + ":" + std::to_string(port) + ": ";
    if (reason.starts_with(where)) reason.erase(0, where.size());
    return Answer{reason, connection.refused()};
  });
}

/// The same as soon as the reason is this one, which a change of the list brings about a moment later; the last answer
/// where it is not within five seconds.
inline Answer answer_once(const std::string& reason, Server& server, const TlsSettings& tls, const Hello& hello) {
  const auto end = std::chrono::steady_clock::now() + kLong;
  Answer answer = answer_to(server, tls, hello);
  while (answer.reason != reason && std::chrono::steady_clock::now() < end) {
    server.serve_for(10 * kTurn);
    answer = answer_to(server, tls, hello);
  }
  return answer;
}

}  // namespace anybit
