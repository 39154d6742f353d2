#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "server/roster.h"
#include "server/sessions.h"
#include "tests/wire/raw_socket.h"
#include "tests/wire/samples.h"

namespace anybit {

using std::chrono::milliseconds;
inline constexpr milliseconds kLong{5000};
inline constexpr milliseconds kTurn{2};

/// Sessions with a listener that writes down what it hears, driven by the test.
class Server : public SessionListener {
 public:
  using Change = std::function<void(SessionSettings&)>;
  explicit Server(const Change& change = {}) : sessions(settings(change), *this) {}

  void joined(ConnectionId connection, const Hello& hello) override {
    heard.push_back("joined " + std::to_string(hello.client) + "+" + std::to_string(hello.clients));
    newest = connection;
    roster.join(connection, hello);
  }
  void held(ClientRange clients) override {
    heard.push_back("held " + std::to_string(clients.first) + "+" + std::to_string(clients.count));
  }
  void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame, Bytes&) override {
    if (const auto* accept = std::get_if<Accept>(&message))
      return heard.push_back("accept of " + std::to_string(accept->id.client));
    if (const auto* decline = std::get_if<Decline>(&message))
      return heard.push_back("decline of " + std::to_string(decline->id.client) + ": " + decline->reason);
    const auto& update = std::get<UpdateMessage>(message);
    heard.push_back("update of " + std::to_string(update.id.client));
    frame_bytes += frame.size();
    if (on_update) on_update(connection, update);
  }
  void lost(ConnectionId connection, ClientRange clients, const std::string& reason) override {
    roster.leave(connection);
    heard.push_back("lost " + std::to_string(clients.first) + "+" + std::to_string(clients.count) + ": " + reason);
  }

  void turned_away(const std::string&, const std::string& reason) override { refused.push_back(reason); }

  /// Polls until the condition holds; false after five seconds.
  bool serve_until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + kLong;
    while (!holds() && std::chrono::steady_clock::now() < end) sessions.poll(kTurn);
    return holds();
  }
  bool serve_until_heard(std::size_t events) {
    return serve_until([&] { return heard.size() >= events; });
  }
  void serve_for(milliseconds time) {
    const auto end = std::chrono::steady_clock::now() + time;
    while (std::chrono::steady_clock::now() < end) sessions.poll(kTurn);
  }

  /// A raw peer that was welcomed as one client.
  RawSocket join(std::uint32_t client) {
    RawSocket peer(sessions.port());
    const std::size_t before = heard.size();
    peer.send(encode_frame(Hello{.client = client}));
    EXPECT_TRUE(serve_until_heard(before + 1));
    EXPECT_TRUE(std::holds_alternative<Welcome>(peer.receive()));
    return peer;
  }

  std::vector<std::string> heard;
  std::vector<std::string> refused;  // before they had joined
  std::function<void(ConnectionId, const UpdateMessage&)> on_update;
  std::size_t frame_bytes = 0;
  ConnectionId newest = 0;
  Roster roster;
  Sessions sessions;

 private:
  static SessionSettings settings(const Change& change) {
    SessionSettings made;
    made.clients = 100;
    made.welcome.run = 99;
    if (change) change(made);
    return made;
  }
};

inline UpdateMessage update_of(std::uint32_t client, std::size_t bytes = 3) {
  UpdateMessage update = sample_update();
  update.id.client = client;
  update.delta = keep(Bytes(bytes, 5));
  return update;
}

/// What a peer hears from the server before the connection ends, having sent these bytes as its first.
inline std::string answer_to(Server& server, std::span<const std::uint8_t> bytes) {
  RawSocket peer(server.sessions.port());
  peer.send(bytes);
  const std::uint64_t before = server.sessions.turned_away();
  EXPECT_TRUE(server.serve_until([&] { return server.sessions.turned_away() > before; }));
  server.serve_for(kTurn);
  const Message message = peer.receive();
  return std::holds_alternative<Goodbye>(message) ? std::get<Goodbye>(message).reason : "something else";
}

using Heard = std::vector<std::string>;

}  // namespace anybit
