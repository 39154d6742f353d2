// Who joins, and what arrives: whole, damaged, too long or from the wrong one.
#include "server/sessions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <deque>
#include <thread>

#include "client/connection.h"
#include "nn/random.h"
#include "tests/server/session_server.h"
#include "tests/wire/allocations.h"

namespace anybit {
namespace {

TEST(Sessions, HelloIsWelcomed) {
  Server server;
  RawSocket peer(server.sessions.port());
  peer.send(encode_frame(Hello{.client = 4, .clients = 3}));
  ASSERT_TRUE(server.serve_until_heard(1));
  EXPECT_EQ(server.heard, Heard{"joined 4+3"});
  const Message welcome = peer.receive();
  EXPECT_EQ(std::get<Welcome>(welcome).run, 99U);
  EXPECT_EQ(server.roster.playing(3), 0U);
  EXPECT_EQ(server.roster.playing(4), server.newest);
  EXPECT_EQ(server.roster.playing(6), server.newest);
  EXPECT_EQ(server.roster.playing(7), 0U);
}

TEST(Sessions, NewestConnectionPlays) {
  Server server;
  const RawSocket old = server.join(1);
  const ConnectionId first = server.newest;
  RawSocket young = server.join(1);
  EXPECT_NE(server.newest, first);
  EXPECT_EQ(server.roster.playing(1), server.newest);
  young.close();
  ASSERT_TRUE(server.serve_until_heard(3));
  EXPECT_EQ(server.roster.playing(1), first);
}

TEST(Sessions, FiveMegabytesGoOutAndComeBack) {
  Server server;
  UpdateMessage back;
  server.on_update = [&](ConnectionId connection, const UpdateMessage& update) {
    back = update;
    back.delta = keep(bytes_of(update.delta));
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
  EXPECT_TRUE(server.sessions.send(server.newest, TaskMessage{{99, 0, 2}, 1, 0, 1, 0, 0, parameters}));
  EXPECT_TRUE(server.serve_until_heard(3));
  client.join();
  EXPECT_EQ(server.heard, (Heard{"joined 2+1", "update of 2", "lost 2+1: the peer closed the connection"}));
  EXPECT_TRUE(std::ranges::equal(back.delta, parameters));
  EXPECT_EQ(server.frame_bytes, encode_frame(back).size());
}

TEST(Sessions, AFrameGoesOutInTwoPieces) {
  Server server;
  const CohortTask task({{99, 0, 0}, 1, 0, 1, 0, 0}, std::make_shared<const Bytes>(5 << 20, std::uint8_t{0xa5}));
  std::vector<RawSocket> peers;
  for (const std::uint32_t client : {1U, 2U}) {
    peers.push_back(server.join(client));
    auto head = std::make_shared<Bytes>();
    append_frame_head(task, {client, 1}, *head);
    EXPECT_TRUE(server.sessions.send(server.newest, std::move(head), task.parameters));
    EXPECT_TRUE(server.sessions.send(server.newest, Acknowledge{{99, 0, client}}));
  }
  std::thread reader([&] {
    for (RawSocket& peer : peers) {
      const std::uint32_t client = &peer == peers.data() ? 1 : 2;
      const Message message = peer.receive();  // a Goodbye where the checksum does not match
      ASSERT_TRUE(std::holds_alternative<TaskMessage>(message));
      EXPECT_EQ(std::get<TaskMessage>(message).id.client, client);
      EXPECT_TRUE(std::ranges::equal(std::get<TaskMessage>(message).parameters, *task.parameters));
      EXPECT_TRUE(std::holds_alternative<Acknowledge>(peer.receive()));
      peer.close();
    }
  });
  EXPECT_TRUE(server.serve_until([&] { return server.sessions.open() == 0; }));
  reader.join();
}

/// Takes what arrives with its bytes.
class Keeper : public Server {
 public:
  void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame,
               Bytes& storage) override {
    Server::arrived(connection, message, frame, storage);
    auto& [update, bytes] = kept.emplace_back();
    std::swap(update, message);
    std::swap(bytes, storage);
  }

  std::deque<std::pair<Message, Bytes>> kept;
};

TEST(Sessions, AListenerMayKeepWhatArrives) {
  Keeper server;
  RawSocket peer = server.join(1);
  for (const std::size_t size : {std::size_t{3}, std::size_t{200000}, std::size_t{100}, std::size_t{300000}}) {
    UpdateMessage update = update_of(1);
    update.delta = keep(Bytes(size, static_cast<std::uint8_t>(size % 251)));
    peer.send(encode_frame(update));
  }
  ASSERT_TRUE(server.serve_until_heard(5));
  std::vector<std::size_t> sizes;
  for (const auto& [message, bytes] : server.kept) {
    const std::span<const std::uint8_t> delta = std::get<UpdateMessage>(message).delta;
    sizes.push_back(delta.size());
    EXPECT_TRUE(std::ranges::equal(delta, Bytes(delta.size(), static_cast<std::uint8_t>(delta.size() % 251))));
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{3, 200000, 100, 300000}));
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
  Bytes other = encode_frame(Hello{});
  other[4] = 3;
  EXPECT_EQ(answer_to(server, other),
            "the other end speaks protocol 3, this one 4: both need the same version of anybit");
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
            "Update frame declares a body of 5085 bytes, allowed are 4096");
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
  EXPECT_EQ(server.heard.back(), "lost 1+1: Update frame declares a body of 20085 bytes, allowed are 10000");
  EXPECT_EQ(std::get<Goodbye>(peer.receive()).reason, "Update frame declares a body of 20085 bytes, allowed are 10000");
}

TEST(Sessions, BodiesCanBeLimitedLater) {
  Server server([](SessionSettings& settings) { settings.limits.body = 30000; });
  RawSocket peer = server.join(1);
  server.sessions.limit_bodies(10000);
  peer.send(encode_frame(update_of(1, 20000)));
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: Update frame declares a body of 20085 bytes, allowed are 10000");
  server.sessions.limit_bodies(40000);
  RawSocket other = server.join(2);
  other.send(encode_frame(update_of(2, 35000)));
  ASSERT_TRUE(server.serve_until_heard(4));
  EXPECT_EQ(server.heard.back(), "lost 2+1: Update frame declares a body of 35085 bytes, allowed are 30000");
}

TEST(Sessions, DamagedFramesLoseTheConnectionAndItsPeerMayComeAgain) {
  Server server;
  RawSocket peer = server.join(1);
  Bytes frame = encode_frame(update_of(1));
  frame.back() ^= 1;
  peer.send(frame);
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: body checksum does not match");
  server.serve_for(kTurn);
  EXPECT_EQ(std::get<Goodbye>(peer.receive()).farewell, Farewell::kComeAgain);
}

TEST(Sessions, OthersUpdatesAndOtherKindsLoseTheConnection) {
  Server server;
  RawSocket liar = server.join(1);
  liar.send(encode_frame(update_of(2)));
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: answered for client 2, which it does not play");
  RawSocket server_like = server.join(3);
  server_like.send(encode_frame(Acknowledge{}));
  ASSERT_TRUE(server.serve_until_heard(4));
  EXPECT_EQ(server.heard.back(), "lost 3+1: sent what only a server says");
  RawSocket twice = server.join(3);
  twice.send(encode_frame(Hello{.client = 3}));
  ASSERT_TRUE(server.serve_until_heard(6));
  EXPECT_EQ(server.heard.back(), "lost 3+1: said Hello twice");
}

}  // namespace
}  // namespace anybit
