// Peers that mean harm: what they send is refused and counted, and holds no memory. sessions_test.cpp has what one
// wrong peer hears, session_turns_test.cpp who keeps a turn, tests/wire the frames themselves.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <cstring>
#include <thread>

#include "program/resident_memory.h"
#include "tests/server/session_server.h"
#include "tests/wire/allocations.h"

namespace anybit {
namespace {

/// Puts another length into a header, and its right checksum.
void declare(Bytes& frame, std::uint64_t length) {
  std::memcpy(frame.data() + 8, &length, sizeof length);
  const std::uint32_t sum = crc32c(std::span(frame).first(20));
  std::memcpy(frame.data() + 20, &sum, sizeof sum);
}

/// Has a peer that was welcomed send these bytes and close. Returns why it was lost.
std::string loss_of(Server& server, std::span<const std::uint8_t> bytes) {
  server.heard.clear();
  RawSocket peer = server.join(42);
  peer.send(bytes);
  peer.close();
  EXPECT_TRUE(server.serve_until([&] { return !server.heard.empty() && server.heard.back().starts_with("lost"); }));
  return server.heard.back();
}

TEST(HostilePeers, EveryTruncationOfEveryKindIsOneLoss) {
  Server server;
  for (const Message& message : one_of_each()) {
    const Bytes frame = encode_frame(message);
    for (std::size_t size = 0; size < frame.size(); ++size) {
      EXPECT_EQ(loss_of(server, std::span(frame).first(size)),
                size == 0 ? "lost 42+1: the peer closed the connection"
                          : "lost 42+1: the peer closed the connection in the middle of a frame")
          << "kind " << message.index() << " at " << size;
      EXPECT_EQ(server.heard.size(), 2U);
    }
  }
}

TEST(HostilePeers, EveryFlippedBitOfAHeaderIsOneLossAndCounted) {
  Server server;
  AllocationWatch watch;
  std::uint64_t flipped = 0;
  for (const Message& message : {Message(update_of(42)), Message(Accept{{99, 7, 42}}), Message(Heartbeat{})}) {
    Bytes frame = encode_frame(message);
    for (std::size_t bit = 0; bit < 8 * kFrameHeaderBytes; ++bit) {
      frame[bit / 8] = static_cast<std::uint8_t>(frame[bit / 8] ^ (1U << bit % 8));
      static_cast<void>(loss_of(server, frame));
      EXPECT_EQ(server.sessions.broke_rules(), ++flipped) << "bit " << bit << ": " << server.heard.back();
      frame[bit / 8] = static_cast<std::uint8_t>(frame[bit / 8] ^ (1U << bit % 8));
    }
  }
  EXPECT_LT(watch.largest(), std::size_t{128} << 10);
}

TEST(HostilePeers, LengthsThatLieAreRefusedOrWaitedFor) {
  Server server([](SessionSettings& settings) { settings.frame = milliseconds{200}; });
  Bytes shorter = encode_frame(update_of(42));
  declare(shorter, shorter.size() - kFrameHeaderBytes - 1);
  EXPECT_EQ(loss_of(server, shorter), "lost 42+1: body checksum does not match");
  Bytes none = encode_frame(update_of(42));
  declare(none, 0);
  EXPECT_EQ(loss_of(server, none), "lost 42+1: body checksum does not match");
  Bytes huge = encode_frame(update_of(42));
  declare(huge, ~std::uint64_t{0});
  EXPECT_EQ(loss_of(server, huge),
            "lost 42+1: Update frame declares a body of 18446744073709551615 bytes, allowed are 268435456");
  EXPECT_EQ(server.sessions.broke_rules(), 3U);

  Bytes longer = encode_frame(update_of(42));
  declare(longer, std::uint64_t{256} << 20);
  RawSocket peer = server.join(42);
  peer.send(longer);
  server.heard.clear();
  AllocationWatch watch;
  ASSERT_TRUE(server.serve_until_heard(1));
  EXPECT_LE(watch.largest(), std::size_t{1} << 20);
  EXPECT_EQ(server.heard.back(), "lost 42+1: a frame took too long");
  EXPECT_EQ(server.sessions.too_slow(), 1U);
}

TEST(HostilePeers, NothingButAHelloComesFirst) {
  Server server;
  for (const Message& message : one_of_each()) {
    if (std::holds_alternative<Hello>(message) || std::holds_alternative<Goodbye>(message)) continue;
    EXPECT_EQ(answer_to(server, encode_frame(message)), "the first frame must be a Hello") << message.index();
  }
  EXPECT_EQ(server.sessions.turned_away(), 9U);
  EXPECT_EQ(server.sessions.broke_rules(), 9U);
  EXPECT_TRUE(server.heard.empty());
}

TEST(HostilePeers, WhatOnlyServersSayEndsAConnection) {
  Server server;
  for (const Message& message : one_of_each()) {
    const bool of_clients = std::holds_alternative<UpdateMessage>(message) || std::holds_alternative<Accept>(message) ||
                            std::holds_alternative<Decline>(message) || std::holds_alternative<Heartbeat>(message) ||
                            std::holds_alternative<Goodbye>(message);
    if (of_clients) continue;
    const std::string reason =
        std::holds_alternative<Hello>(message) ? "said Hello twice" : "sent what only a server says";
    EXPECT_EQ(loss_of(server, encode_frame(message)), "lost 42+1: " + reason) << message.index();
  }
  EXPECT_EQ(server.sessions.broke_rules(), 6U);
}

// A small frame that waits costs ten times its bytes.
TEST(HostilePeers, SmallFramesThatAreNotReadAreCountedByWhatTheyHold) {
  Server server([](SessionSettings& settings) { settings.queued_bytes = 100000; });
  const RawSocket sleeper = server.join(1);
  for (int i = 0; i < 1000; ++i) server.sessions.send(server.newest, Acknowledge{sample_task()});  // 41 bytes each
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: does not read what it is sent");
}

/// The connections that both ends of this process can hold, and the reason where they are fewer than wanted.
std::size_t raise_descriptors(std::size_t connections) {
  struct rlimit limit = {};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = 2 * connections + 200;
  limit.rlim_cur = std::min<rlim_t>(std::max(limit.rlim_cur, wanted), limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
  const std::size_t most = (limit.rlim_cur - 200) / 2;
  if (most < connections)
    std::printf("%zu connections of %zu: descriptors are limited to %zu\n", most, connections,
                static_cast<std::size_t>(limit.rlim_max));
  return std::min(most, connections);
}

TEST(HostilePeers, TenThousandHalfOpenConnectionsCostLittleAndEnd) {
  const std::size_t count = raise_descriptors(10000);
  Server server([](SessionSettings& settings) {
    settings.connections = 10001;
    settings.hello = milliseconds{60000};  // NoHelloInTime has the deadline
  });
  const double before = resident_bytes();
  AllocationWatch watch;
  std::vector<RawSocket> peers;
  std::thread knocks([&, port = server.sessions.port()] {
    const Bytes start = start_of(Hello{}, 30);  // half of them stop within their Hello
    for (std::size_t i = 0; i < count; ++i) {
      peers.emplace_back(port);
      if (i % 2 == 0) peers.back().send(start);
    }
  });
  const auto all_are_here = [&] { return server.sessions.open() == count; };
  const bool all_came = server.serve_until(all_are_here) || server.serve_until(all_are_here);
  knocks.join();
  ASSERT_TRUE(all_came);
  EXPECT_LT((resident_bytes() - before) / static_cast<double>(count), 4096.0);
  EXPECT_LE(watch.largest(), std::size_t{256} << 10);

  const RawSocket honest = server.join(1);  // while all of them are here
  for (RawSocket& peer : peers) peer.reset();
  EXPECT_TRUE(server.serve_until([&] { return server.sessions.open() == 1; }));
  EXPECT_EQ(server.sessions.turned_away(), count);
  EXPECT_EQ(server.heard, Heard{"joined 1+1"});
}

TEST(HostilePeers, WhoIsRefusedTakesNoMoreMemory) {
  constexpr std::size_t kPeers = 1000;
  Server server([](SessionSettings& settings) { settings.farewell = milliseconds{60000}; });
  const Bytes rude = encode_frame(Heartbeat{});
  const double before = resident_bytes();
  std::vector<RawSocket> peers;
  for (std::size_t i = 0; i < kPeers; ++i) {
    peers.emplace_back(server.sessions.port());
    peers.back().send(rude);
    ASSERT_TRUE(server.serve_until([&] { return server.sessions.turned_away() > i; }));
  }
  EXPECT_EQ(server.sessions.open(), kPeers) << "each still reads its Goodbye";
  EXPECT_LT((resident_bytes() - before) / static_cast<double>(kPeers), 4096.0);
}

// Each of two turns is asked for by a peer that sends nothing, again and again; an honest one gets through.
TEST(HostilePeers, SlowLorisOnBothTurnsHoldsNobodyUpForLong) {
  Server server([](SessionSettings& settings) { settings.pace = milliseconds{100}; });
  constexpr std::size_t kLarge = 1 << 20;
  std::vector<RawSocket> lorises;
  for (std::uint32_t client = 1; client <= 6; ++client) {
    lorises.push_back(server.join(client));
    lorises.back().send(start_of(update_of(client, kLarge), 30));
    server.serve_for(kTurn);
  }
  RawSocket honest = server.join(7);
  std::thread sender([&] { honest.send(encode_frame(update_of(7, kLarge))); });
  EXPECT_TRUE(server.serve_until([&] { return server.heard.back() == "update of 7"; }));
  sender.join();
  EXPECT_GE(server.sessions.too_slow(), 5U);
}

}  // namespace
}  // namespace anybit
