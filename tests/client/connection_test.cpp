#include "client/connection.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/wire/raw_socket.h"
#include "tests/wire/samples.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kLong{5000};
constexpr milliseconds kShort{50};

/// A connection and the raw socket at its other end.
struct Pair {
  RawListener listener;
  Connection connection;
  RawSocket peer;

  Pair() : peer(open()) {}
  RawSocket open() {
    EXPECT_EQ(connection.connect("127.0.0.1", listener.port(), kLong), "");
    return listener.accept();
  }
};

std::uint16_t port_without_listener() { return RawListener().port(); }

TEST(Connection, SaysWhyItCannotConnect) {
  Connection connection;
  const std::uint16_t port = port_without_listener();
  EXPECT_EQ(connection.connect("127.0.0.1", port, kLong), "127.0.0.1:" + std::to_string(port) + ": Connection refused");
  EXPECT_FALSE(connection.is_open());
  EXPECT_EQ(connection.send(encode_frame(Goodbye{}), kLong), "the connection is closed");
  Message message;
  EXPECT_EQ(connection.receive(message, kLong), "the connection is closed");
}

TEST(Connection, FindsLocalhostByName) {
  const RawListener listener;
  Connection connection;
  EXPECT_EQ(connection.connect("localhost", listener.port(), kLong), "");
}

TEST(Connection, HelloIsAnsweredByWelcome) {
  Pair pair;
  pair.peer.send(encode_frame(Welcome{99, "seed = 1"}));
  Welcome welcome;
  ASSERT_EQ(pair.connection.greet({4, 2, "avx2"}, welcome, kLong), "");
  EXPECT_EQ(welcome.run, 99U);
  EXPECT_EQ(welcome.scenario, "seed = 1");
  const Message hello = pair.peer.receive();
  ASSERT_TRUE(std::holds_alternative<Hello>(hello));
  EXPECT_EQ(std::get<Hello>(hello).client, 4U);
}

TEST(Connection, RefusalIsTheReason) {
  Pair pair;
  pair.peer.send(encode_frame(Goodbye{"plays 9 clients"}));
  Welcome welcome;
  EXPECT_EQ(pair.connection.greet({}, welcome, kLong), "the server refuses: plays 9 clients");
}

TEST(Connection, OtherAnswersToHelloAreRefused) {
  Pair pair;
  pair.peer.send(encode_frame(Acknowledge{}));
  Welcome welcome;
  EXPECT_EQ(pair.connection.greet({}, welcome, kLong), "the server answered Hello with something else than Welcome");
}

TEST(Connection, LargeFramesPassInBothDirections) {
  Pair pair;
  const Bytes parameters(5 << 20, 7);
  const TaskMessage task{sample_task(), 1, 0, 1, 0, 2, parameters};
  std::thread peer([&] {
    pair.peer.send(encode_frame(task));
    const Message back = pair.peer.receive();
    ASSERT_TRUE(std::holds_alternative<TaskMessage>(back));
    EXPECT_TRUE(std::ranges::equal(std::get<TaskMessage>(back).parameters, parameters));
    pair.peer.send(encode_frame(Acknowledge{sample_task()}));
  });
  Message message;
  EXPECT_EQ(pair.connection.receive(message, kLong), "");
  EXPECT_TRUE(std::ranges::equal(std::get<TaskMessage>(message).parameters, parameters));
  EXPECT_EQ(pair.connection.send(encode_frame(message), kLong), "");
  EXPECT_EQ(pair.connection.receive(message, kLong), "");
  EXPECT_TRUE(std::holds_alternative<Acknowledge>(message));
  peer.join();
}

TEST(Connection, SilenceLeavesItOpen) {
  Pair pair;
  Message message;
  EXPECT_EQ(pair.connection.receive(message, kShort), "no frame within 50 ms");
  EXPECT_TRUE(pair.connection.is_open());
  pair.peer.send(encode_frame(Acknowledge{sample_task()}));
  EXPECT_EQ(pair.connection.receive(message, kLong), "");
}

TEST(Connection, HalfAFrameTimesOutAndCloses) {
  const Bytes frame = encode_frame(Acknowledge{sample_task()});
  for (const std::size_t half : {std::size_t{1}, std::size_t{24}, frame.size() - 1}) {
    Pair pair;
    pair.peer.send(std::span(frame).first(half));
    Message message;
    EXPECT_EQ(pair.connection.receive(message, kShort), "no whole frame within 50 ms") << half;
    EXPECT_FALSE(pair.connection.is_open());
  }
}

TEST(Connection, ASlowFrameIsPutTogetherByManyCalls) {
  Pair pair;
  const Bytes frame = encode_frame(Acknowledge{sample_task()});
  Message message;
  const auto start = std::chrono::steady_clock::now();
  for (std::size_t at = 0; at + 1 < frame.size(); ++at) {
    pair.peer.send(std::span(frame).subspan(at, 1));
    EXPECT_EQ(pair.connection.receive(message, milliseconds{2}, kLong), "no whole frame within 5000 ms") << at;
    ASSERT_TRUE(pair.connection.is_open());
  }
  EXPECT_GT(pair.connection.last_heard(), start);
  pair.peer.send(std::span(frame).last(1));
  EXPECT_EQ(pair.connection.receive(message, kLong, kLong), "");
  EXPECT_EQ(std::get<Acknowledge>(message).id, sample_task());
  pair.peer.send(frame);
  EXPECT_EQ(pair.connection.receive(message, kLong), "") << "nothing of the frame before is left";

  pair.peer.send(std::span(frame).first(30));
  std::string reason;
  while (pair.connection.is_open()) reason = pair.connection.receive(message, milliseconds{2}, milliseconds{100});
  EXPECT_EQ(reason, "no whole frame within 100 ms");
}

// A server leaves a large update unread until its turn comes.
TEST(Connection, HearsWhileWhatItSendsIsNotRead) {
  Pair pair;
  const Bytes parameters(32 << 20, 7);
  const auto frame = std::make_shared<const Bytes>(encode_frame(TaskMessage{sample_task(), 1, 0, 1, 0, 2, parameters}));
  pair.connection.queue(frame);
  pair.connection.queue(std::make_shared<const Bytes>(encode_frame(Heartbeat{})));
  Message message;
  for (int beat = 0; beat < 3; ++beat) {
    pair.peer.send(encode_frame(Heartbeat{}));
    EXPECT_EQ(pair.connection.receive(message, kLong), "");
    EXPECT_TRUE(std::holds_alternative<Heartbeat>(message));
    EXPECT_EQ(pair.connection.receive(message, kShort), "no frame within 50 ms");
    EXPECT_FALSE(pair.connection.has_sent_all());
  }
  std::thread reader([&] {
    const Message update = pair.peer.receive();
    ASSERT_TRUE(std::holds_alternative<TaskMessage>(update));
    EXPECT_TRUE(std::ranges::equal(std::get<TaskMessage>(update).parameters, parameters));
    EXPECT_TRUE(std::holds_alternative<Heartbeat>(pair.peer.receive()));
    pair.peer.send(encode_frame(Acknowledge{sample_task()}));
  });
  EXPECT_EQ(pair.connection.receive(message, kLong), "");
  EXPECT_TRUE(std::holds_alternative<Acknowledge>(message));
  EXPECT_TRUE(pair.connection.has_sent_all());
  reader.join();
}

TEST(Connection, SendsBehindWhatIsQueued) {
  Pair pair;
  pair.connection.queue(std::make_shared<const Bytes>(encode_frame(Heartbeat{})));
  EXPECT_EQ(pair.connection.send(encode_frame(Acknowledge{sample_task()}), kLong), "");
  EXPECT_TRUE(std::holds_alternative<Heartbeat>(pair.peer.receive()));
  EXPECT_TRUE(std::holds_alternative<Acknowledge>(pair.peer.receive()));
}

TEST(Connection, WhatCannotGoOutIsAFailureOfWhatComesNext) {
  Pair pair;
  pair.peer.reset();
  for (int i = 0; i < 2; ++i) pair.connection.queue(std::make_shared<const Bytes>(encode_frame(Heartbeat{})));
  Message message;
  EXPECT_NE(pair.connection.receive(message, kLong), "");
  EXPECT_FALSE(pair.connection.is_open());
  pair.connection.queue(std::make_shared<const Bytes>(encode_frame(Heartbeat{})));  // goes nowhere
  RawSocket again = pair.open();
  EXPECT_EQ(pair.connection.send(encode_frame(Acknowledge{sample_task()}), kLong), "");
  EXPECT_TRUE(std::holds_alternative<Acknowledge>(again.receive()));
}

TEST(Connection, EndInTheMiddleOfAFrameIsSaid) {
  Pair pair;
  pair.peer.send(start_of(Acknowledge{sample_task()}, 30));
  pair.peer.close();
  Message message;
  EXPECT_EQ(pair.connection.receive(message, kLong), "the server closed the connection in the middle of a frame");
  EXPECT_FALSE(pair.connection.is_open());
}

TEST(Connection, EndBetweenFramesIsSaid) {
  Pair pair;
  pair.peer.close();
  Message message;
  EXPECT_EQ(pair.connection.receive(message, kLong), "the server closed the connection");
}

TEST(Connection, ATaskWithChunksBeyondAllBoundsEndsIt) {
  Pair pair;
  pair.peer.send(encode_frame(TaskMessage{sample_task(), 1, 0, 0xffffffff, 0, 2, Bytes(10, 7)}));
  Message message;
  EXPECT_EQ(pair.connection.receive(message, kLong), "Task cuts batches into 4294967295 chunks, allowed are 1 to 8");
  EXPECT_FALSE(pair.connection.is_open());
}

TEST(Connection, GarbageAndTooLongFramesAreRefused) {
  Pair garbage;
  garbage.peer.send(Bytes(100, 'x'));
  Message message;
  EXPECT_EQ(garbage.connection.receive(message, kLong), "not a frame of anybit");
  EXPECT_FALSE(garbage.connection.is_open());

  const RawListener listener;
  Connection connection(FrameLimits{.body = 1000});
  ASSERT_EQ(connection.connect("127.0.0.1", listener.port(), kLong), "");
  RawSocket peer = listener.accept();
  peer.send(encode_frame(TaskMessage{sample_task(), 1, 0, 1, 0, 2, Bytes(1000, 7)}));
  EXPECT_EQ(connection.receive(message, kLong), "Task frame declares a body of 1049 bytes, allowed are 1000");
}

TEST(Connection, SendingToSomebodyWhoDoesNotReadTimesOut) {
  Pair pair;
  const Bytes frame(64 << 20, 1);
  EXPECT_EQ(pair.connection.send(frame, kShort), "the server did not take the frame within 50 ms");
  EXPECT_FALSE(pair.connection.is_open());
}

TEST(Connection, ConnectsAgain) {
  Pair pair;
  pair.peer.close();
  Message message;
  EXPECT_NE(pair.connection.receive(message, kLong), "");
  ASSERT_EQ(pair.connection.connect("127.0.0.1", pair.listener.port(), kLong), "");
  RawSocket again = pair.listener.accept();
  again.send(encode_frame(Acknowledge{sample_task()}));
  EXPECT_EQ(pair.connection.receive(message, kLong), "");
}

}  // namespace
}  // namespace anybit
