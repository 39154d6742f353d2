#include "server/sessions.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <thread>

#include "client/connection.h"
#include "nn/random.h"
#include "tests/wire/allocations.h"
#include "tests/wire/raw_socket.h"
#include "tests/wire/samples.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong{5000};
constexpr milliseconds kTurn{2};

/// Sessions with a listener that writes down what it hears, driven by the test.
class Server : public SessionListener {
 public:
  using Change = std::function<void(SessionSettings&)>;
  explicit Server(const Change& change = {}) : sessions(settings(change), *this) {}

  void joined(ConnectionId connection, const Hello& hello) override {
    heard.push_back("joined " + std::to_string(hello.client) + "+" + std::to_string(hello.clients));
    newest = connection;
  }
  void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame) override {
    const auto& update = std::get<UpdateMessage>(message);
    heard.push_back("update of " + std::to_string(update.id.client));
    frame_bytes += frame.size();
    if (on_update) on_update(connection, update);
  }
  void lost(ConnectionId, ClientRange clients, const std::string& reason) override {
    heard.push_back("lost " + std::to_string(clients.first) + "+" + std::to_string(clients.count) + ": " + reason);
  }

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
  std::function<void(ConnectionId, const UpdateMessage&)> on_update;
  std::size_t frame_bytes = 0;
  ConnectionId newest = 0;
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

UpdateMessage update_of(std::uint32_t client, std::size_t bytes = 3) {
  UpdateMessage update = sample_update();
  update.id.client = client;
  update.delta.assign(bytes, 5);
  return update;
}

/// What a peer hears from the server before the connection ends, having sent these bytes as its first.
std::string answer_to(Server& server, std::span<const std::uint8_t> bytes) {
  RawSocket peer(server.sessions.port());
  peer.send(bytes);
  const std::uint64_t before = server.sessions.turned_away();
  EXPECT_TRUE(server.serve_until([&] { return server.sessions.turned_away() > before; }));
  server.serve_for(kTurn);
  const Message message = peer.receive();
  return std::holds_alternative<Goodbye>(message) ? std::get<Goodbye>(message).reason : "something else";
}

using Heard = std::vector<std::string>;

TEST(Sessions, HelloIsWelcomed) {
  Server server;
  RawSocket peer(server.sessions.port());
  peer.send(encode_frame(Hello{.client = 4, .clients = 3}));
  ASSERT_TRUE(server.serve_until_heard(1));
  EXPECT_EQ(server.heard, Heard{"joined 4+3"});
  const Message welcome = peer.receive();
  EXPECT_EQ(std::get<Welcome>(welcome).run, 99U);
  EXPECT_EQ(server.sessions.playing(3), 0U);
  EXPECT_EQ(server.sessions.playing(4), server.newest);
  EXPECT_EQ(server.sessions.playing(6), server.newest);
  EXPECT_EQ(server.sessions.playing(7), 0U);
}

TEST(Sessions, NewestConnectionPlays) {
  Server server;
  const RawSocket old = server.join(1);
  const ConnectionId first = server.newest;
  RawSocket young = server.join(1);
  EXPECT_NE(server.newest, first);
  EXPECT_EQ(server.sessions.playing(1), server.newest);
  young.close();
  ASSERT_TRUE(server.serve_until_heard(3));
  EXPECT_EQ(server.sessions.playing(1), first);
}

TEST(Sessions, FiveMegabytesGoOutAndComeBack) {
  Server server;
  UpdateMessage back;
  server.on_update = [&](ConnectionId connection, const UpdateMessage& update) {
    back = update;
    server.sessions.send(connection, Acknowledge{update.id});
  };
  const Bytes parameters(5 << 20, 0xa5);
  std::thread client([port = server.sessions.port()] {
    Connection connection;
    ASSERT_EQ(connection.connect("127.0.0.1", port, kLong), "");
    Welcome welcome;
    ASSERT_EQ(connection.greet({.client = 2}, welcome, kLong), "");
    Message message;
    ASSERT_EQ(connection.receive(message, kLong), "");
    UpdateMessage update = update_of(2);
    update.delta = std::get<TaskMessage>(message).parameters;
    ASSERT_EQ(connection.send(encode_frame(update), kLong), "");
    ASSERT_EQ(connection.receive(message, kLong), "");
    EXPECT_TRUE(std::holds_alternative<Acknowledge>(message));
  });
  EXPECT_TRUE(server.serve_until_heard(1));
  EXPECT_TRUE(server.sessions.send(server.newest, TaskMessage{{99, 0, 2}, 1, 0, parameters}));
  EXPECT_TRUE(server.serve_until_heard(3));
  client.join();
  EXPECT_EQ(server.heard, (Heard{"joined 2+1", "update of 2", "lost 2+1: the peer closed the connection"}));
  EXPECT_TRUE(back.delta == parameters);
  EXPECT_EQ(server.frame_bytes, encode_frame(back).size());
}

TEST(Sessions, TwentyConnectionsAtOnce) {
  Server server;
  std::vector<std::thread> clients;
  std::atomic<int> done = 0;
  for (std::uint32_t client = 0; client < 20; ++client)
    clients.emplace_back([client, port = server.sessions.port(), &done] {
      Connection connection;
      Welcome welcome;
      Message message;
      EXPECT_EQ(connection.connect("127.0.0.1", port, kLong), "");
      EXPECT_EQ(connection.greet({.client = client}, welcome, kLong), "");
      for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(connection.send(encode_frame(update_of(client, 20000)), kLong), "");
        EXPECT_EQ(connection.receive(message, kLong), "");
        EXPECT_EQ(std::get<Acknowledge>(message).id.client, client);
      }
      ++done;
    });
  server.on_update = [&](ConnectionId connection, const UpdateMessage& update) {
    server.sessions.send(connection, Acknowledge{update.id});
  };
  EXPECT_TRUE(server.serve_until_heard(20 + 200 + 20));
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(done, 20);
  EXPECT_EQ(server.sessions.open(), 0U);
}

TEST(Sessions, FramesMayComeInAnyPieces) {
  Server server;
  RawSocket peer = server.join(1);
  const Bytes frame = encode_frame(update_of(1));
  for (const std::uint8_t& byte : frame) {
    peer.send(std::span(&byte, 1));
    server.sessions.poll(milliseconds{0});
  }
  Bytes three;
  for (int i = 0; i < 3; ++i) three.insert(three.end(), frame.begin(), frame.end());
  peer.send(three);
  ASSERT_TRUE(server.serve_until_heard(5));
  EXPECT_EQ(server.heard, (Heard{"joined 1+1", "update of 1", "update of 1", "update of 1", "update of 1"}));
}

TEST(Sessions, GarbageIsTurnedAwayWithAReason) {
  Server server;
  Bytes garbage(3000);
  Stream random({.seed = 1, .purpose = Purpose::kTest});
  for (std::uint8_t& byte : garbage) byte = static_cast<std::uint8_t>(random.bits());
  EXPECT_EQ(answer_to(server, garbage), "not a frame of anybit");
  EXPECT_EQ(answer_to(server, encode_frame(Acknowledge{})), "the first frame must be a Hello");
  EXPECT_EQ(answer_to(server, encode_frame(Hello{.client = 100})),
            "plays 1 clients from 100 on, the federation has 100");
  EXPECT_EQ(answer_to(server, encode_frame(Hello{.client = 99, .clients = 0xffffffff})),
            "plays 4294967295 clients from 99 on, the federation has 100");
  EXPECT_EQ(answer_to(server, encode_frame(Hello{.clients = 0})), "plays 0 clients from 0 on, the federation has 100");
  EXPECT_EQ(answer_to(server, encode_frame(Hello{.protocol = 2})), "speaks protocol 2");
  EXPECT_TRUE(server.heard.empty());
  EXPECT_EQ(server.sessions.turned_away(), 6U);
}

TEST(Sessions, EveryChangedByteOfAHelloIsTurnedAway) {
  Server server;
  const Bytes hello = encode_frame(Hello{.kernel_set = "avx2"});
  for (std::size_t at = 0; at < hello.size(); ++at) {
    Bytes changed = hello;
    changed[at] = static_cast<std::uint8_t>(changed[at] ^ 0x5a);
    EXPECT_NE(answer_to(server, changed), "something else") << at;
  }
  EXPECT_TRUE(server.heard.empty());
}

TEST(Sessions, FourKilobytesUntilWelcomed) {
  Server server;
  const Bytes frame = encode_frame(update_of(0, 5000));
  EXPECT_EQ(answer_to(server, std::span(frame).first(kFrameHeaderBytes)),
            "Update frame declares a body of 5081 bytes, allowed are 4096");
  RawSocket peer = server.join(0);
  peer.send(frame);
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "update of 0");
}

TEST(Sessions, DeclaredLengthsAllocateNothing) {
  Server server;
  RawSocket peer = server.join(1);
  Bytes header = encode_frame(update_of(1));
  header.resize(kFrameHeaderBytes);
  header[11] = 15;  // 240 MiB and some
  const std::uint32_t sum = crc32c(std::span(header).first(20));
  std::memcpy(header.data() + 20, &sum, sizeof sum);
  peer.send(header);
  AllocationWatch watch;
  server.serve_for(milliseconds{100});
  EXPECT_LE(watch.largest(), std::size_t{1} << 20);
  EXPECT_EQ(server.heard, Heard{"joined 1+1"});  // allowed, and waited for
}

TEST(Sessions, TooLongFramesLoseTheConnection) {
  Server server([](SessionSettings& settings) { settings.limits.body = 10000; });
  RawSocket peer = server.join(1);
  peer.send(encode_frame(update_of(1, 20000)));
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: Update frame declares a body of 20081 bytes, allowed are 10000");
  EXPECT_EQ(std::get<Goodbye>(peer.receive()).reason, "Update frame declares a body of 20081 bytes, allowed are 10000");
}

TEST(Sessions, DamagedFramesLoseTheConnection) {
  Server server;
  RawSocket peer = server.join(1);
  Bytes frame = encode_frame(update_of(1));
  frame.back() ^= 1;
  peer.send(frame);
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: body checksum does not match");
}

TEST(Sessions, OthersUpdatesAndOtherKindsLoseTheConnection) {
  Server server;
  RawSocket liar = server.join(1);
  liar.send(encode_frame(update_of(2)));
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: sent an update of client 2, which it does not play");
  RawSocket twice = server.join(3);
  twice.send(encode_frame(Hello{.client = 3}));
  ASSERT_TRUE(server.serve_until_heard(4));
  EXPECT_EQ(server.heard.back(), "lost 3+1: only updates are expected from a client");
}

TEST(Sessions, NoHelloInTime) {
  Server server([](SessionSettings& settings) { settings.hello = milliseconds{150}; });
  RawSocket silent(server.sessions.port());
  RawSocket slow(server.sessions.port());
  slow.send(start_of(Hello{}, 30));
  ASSERT_TRUE(server.serve_until([&] { return server.sessions.turned_away() == 2; }));
  server.serve_for(kTurn);
  EXPECT_EQ(std::get<Goodbye>(silent.receive()).reason, "said no Hello in time");
  EXPECT_EQ(std::get<Goodbye>(slow.receive()).reason, "a frame took too long");
}

TEST(Sessions, HalfAFrameIsNotWaitedForForEver) {
  Server server([](SessionSettings& settings) { settings.frame = milliseconds{150}; });
  RawSocket peer = server.join(1);
  const Bytes frame = encode_frame(update_of(1));
  for (std::size_t at = 0; at < frame.size() && server.heard.size() < 2; ++at) {
    peer.send(std::span(frame).subspan(at, 1));  // a byte at a time wins no time
    server.serve_for(milliseconds{30});
  }
  ASSERT_EQ(server.heard.size(), 2U);
  EXPECT_EQ(server.heard.back(), "lost 1+1: a frame took too long");
}

TEST(Sessions, SilenceHasAnEnd) {
  Server server([](SessionSettings& settings) { settings.silence = milliseconds{150}; });
  RawSocket peer = server.join(1);
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: was silent for too long");
}

TEST(Sessions, EndInTheMiddleOfAFrameIsALoss) {
  const Bytes frame = encode_frame(update_of(1, 100));
  Server server;
  for (const std::size_t half : {std::size_t{1}, std::size_t{24}, std::size_t{60}, frame.size() - 1}) {
    RawSocket peer = server.join(1);
    peer.send(std::span(frame).first(half));
    peer.close();
    const std::size_t before = server.heard.size();
    ASSERT_TRUE(server.serve_until_heard(before + 1));
    EXPECT_EQ(server.heard.back(), "lost 1+1: the peer closed the connection in the middle of a frame") << half;
  }
}

TEST(Sessions, ResetsAndGoodbyesAreLosses) {
  Server server;
  server.join(1).reset();
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: Connection reset by peer");
  EXPECT_FALSE(server.sessions.send(server.newest, Acknowledge{}));
  RawSocket polite = server.join(2);
  polite.send(encode_frame(Goodbye{"my battery is low"}));
  ASSERT_TRUE(server.serve_until_heard(4));
  EXPECT_EQ(server.heard.back(), "lost 2+1: said goodbye: my battery is low");
  EXPECT_EQ(server.sessions.playing(2), 0U);
}

TEST(Sessions, WhoDoesNotReadIsLost) {
  Server slow([](SessionSettings& settings) { settings.frame = milliseconds{150}; });
  const RawSocket sleeper = slow.join(1);
  EXPECT_TRUE(slow.sessions.send(slow.newest, TaskMessage{{}, 1, 0, Bytes(64 << 20, 1)}));
  ASSERT_TRUE(slow.serve_until_heard(2));
  EXPECT_EQ(slow.heard.back(), "lost 1+1: took too long to read a frame");

  Server full([](SessionSettings& settings) { settings.queued_bytes = 30 << 20; });
  const RawSocket other = full.join(1);
  const auto frame = std::make_shared<const Bytes>(encode_frame(TaskMessage{{}, 1, 0, Bytes(16 << 20, 1)}));
  EXPECT_TRUE(full.sessions.send(full.newest, frame));
  EXPECT_TRUE(full.sessions.send(full.newest, frame));
  EXPECT_EQ(full.heard.size(), 1U);  // told when polled, not before
  ASSERT_TRUE(full.serve_until_heard(2));
  EXPECT_EQ(full.heard.back(), "lost 1+1: does not read what it is sent");
}

TEST(Sessions, CloseSaysGoodbyeBehindWhatIsQueuedAndIsNoLoss) {
  Server server;
  RawSocket peer = server.join(1);
  server.sessions.send(server.newest, Acknowledge{sample_task()});
  server.sessions.close(server.newest, "you are not on the list");
  EXPECT_FALSE(server.sessions.send(server.newest, Acknowledge{sample_task()}));
  server.serve_for(milliseconds{20});
  EXPECT_TRUE(std::holds_alternative<Acknowledge>(peer.receive()));
  EXPECT_EQ(std::get<Goodbye>(peer.receive()).reason, "you are not on the list");
  peer.close();
  EXPECT_TRUE(server.serve_until([&] { return server.sessions.open() == 0; }));
  EXPECT_EQ(server.heard, Heard{"joined 1+1"});
}

TEST(Sessions, ListenerMayCloseWhatItHears) {
  Server server;
  RawSocket peer = server.join(1);
  server.on_update = [&](ConnectionId connection, const UpdateMessage&) {
    server.sessions.close(connection, "enough");
  };
  const Bytes frame = encode_frame(update_of(1, 100000));
  peer.send(frame);
  peer.send(frame);
  ASSERT_TRUE(server.serve_until_heard(2));
  server.serve_for(milliseconds{20});
  EXPECT_EQ(std::get<Goodbye>(peer.receive()).reason, "enough");
  EXPECT_EQ(server.heard, (Heard{"joined 1+1", "update of 1"}));
}

TEST(Sessions, MoreConnectionsThanAllowedWait) {
  Server server([](SessionSettings& settings) { settings.connections = 2; });
  RawSocket first = server.join(1);
  const RawSocket second = server.join(2);
  RawSocket third(server.sessions.port());
  third.send(encode_frame(Hello{.client = 3}));
  server.serve_for(milliseconds{150});
  EXPECT_EQ(server.sessions.open(), 2U);
  first.close();
  ASSERT_TRUE(server.serve_until_heard(4));
  EXPECT_EQ(server.heard.back(), "joined 3+1");
}

TEST(Sessions, StopSaysGoodbyeToAllInBoundedTime) {
  Server server([](SessionSettings& settings) { settings.farewell = milliseconds{200}; });
  RawSocket reader = server.join(1);
  const RawSocket sleeper = server.join(2);
  server.sessions.send(server.newest, TaskMessage{{}, 1, 0, Bytes(64 << 20, 1)});
  const RawSocket nobody(server.sessions.port());
  server.serve_for(kTurn);
  const auto start = std::chrono::steady_clock::now();
  std::thread closes([&] { EXPECT_EQ(std::get<Goodbye>(reader.receive()).reason, "all rounds are done"); });
  server.sessions.stop("all rounds are done", milliseconds{500});
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds{3000});
  closes.join();
  EXPECT_EQ(server.heard, (Heard{"joined 1+1", "joined 2+1"}));
  EXPECT_THROW(RawSocket(server.sessions.port()), std::runtime_error);
}

TEST(Sessions, ConnectionHearsTheGoodbye) {
  Server server;
  std::thread client([port = server.sessions.port()] {
    Connection connection;
    Welcome welcome;
    Message message;
    ASSERT_EQ(connection.connect("127.0.0.1", port, kLong), "");
    ASSERT_EQ(connection.greet({}, welcome, kLong), "");
    ASSERT_EQ(connection.receive(message, kLong), "");
    EXPECT_EQ(std::get<Goodbye>(message).reason, "done");
    EXPECT_EQ(connection.receive(message, kLong), "the server closed the connection");
  });
  EXPECT_TRUE(server.serve_until_heard(1));
  server.sessions.stop("done", kLong);
  client.join();
  EXPECT_EQ(server.sessions.open(), 0U);
}

TEST(Sessions, DestructionWithOpenConnectionsIsSilent) {
  std::vector<std::string> heard;
  {
    Server server;
    const RawSocket joined = server.join(1);
    const RawSocket silent(server.sessions.port());
    server.sessions.send(server.newest, TaskMessage{{}, 1, 0, Bytes(64 << 20, 1)});
    server.serve_for(kTurn);
    server.sessions.post([] {});
    heard = server.heard;
  }
  EXPECT_EQ(heard, Heard{"joined 1+1"});
}

TEST(Sessions, PostedWorkEndsAPoll) {
  Server server;
  int done = 0;
  const auto start = std::chrono::steady_clock::now();
  std::thread other([&] { server.sessions.post([&] { ++done; }); });
  server.sessions.poll(kLong);
  other.join();
  EXPECT_EQ(done, 1);
  EXPECT_LT(std::chrono::steady_clock::now() - start, kLong);
}

TEST(Sessions, PollWithoutTimeReturnsAtOnce) {
  Server server;
  const auto start = std::chrono::steady_clock::now();
  server.sessions.poll(milliseconds{0});
  EXPECT_LT(std::chrono::steady_clock::now() - start, milliseconds{500});
}

TEST(Sessions, TakenPortIsAClearError) {
  const RawListener taken;
  const auto listen = [&] { Server server([&](SessionSettings& settings) { settings.port = taken.port(); }); };
  EXPECT_THROW(
      try { listen(); } catch (const std::runtime_error& error) {
        EXPECT_NE(std::string(error.what()).find("cannot listen on 127.0.0.1:" + std::to_string(taken.port())),
                  std::string::npos);
        throw;
      },
      std::runtime_error);
}

}  // namespace
}  // namespace anybit
