// Deadlines, losses, limits and how sessions end.
#include <gtest/gtest.h>

#include <thread>

#include "client/connection.h"
#include "tests/server/session_server.h"

namespace anybit {
namespace {

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
  EXPECT_EQ(server.roster.playing(2), 0U);
}

TEST(Sessions, WhoIsDismissedHearsItAndSoDoesWhoComesLater) {
  Server server;
  RawSocket here = server.join(1);
  RawSocket silent(server.sessions.port());
  server.serve_for(kTurn);
  server.sessions.dismiss({"the run is over", Farewell::kOver});
  RawSocket late(server.sessions.port());
  late.send(encode_frame(Hello{.client = 2}));
  ASSERT_TRUE(server.serve_until_heard(2));
  silent.send(encode_frame(Hello{.client = 3, .clients = 2}));
  ASSERT_TRUE(server.serve_until_heard(3));
  server.serve_for(kTurn);
  for (RawSocket* peer : {&here, &late, &silent})
    EXPECT_EQ(std::get<Goodbye>(peer->receive()).farewell, Farewell::kOver);
  EXPECT_EQ(server.heard, (Heard{"joined 1+1", "held 2+1", "held 3+2"}));
}

TEST(Sessions, WhoDoesNotReadIsLost) {
  Server slow([](SessionSettings& settings) {
    settings.frame = milliseconds{150};
    settings.least_rate = 1 << 30;
  });
  const RawSocket sleeper = slow.join(1);
  EXPECT_TRUE(slow.sessions.send(slow.newest, TaskMessage{{}, 1, 0, 1, 0, 0, Bytes(64 << 20, 1)}));
  ASSERT_TRUE(slow.serve_until_heard(2));
  EXPECT_EQ(slow.heard.back(), "lost 1+1: took too long to read a frame");

  Server full([](SessionSettings& settings) { settings.queued_bytes = 30 << 20; });
  const RawSocket other = full.join(1);
  const auto frame = std::make_shared<const Bytes>(encode_frame(TaskMessage{{}, 1, 0, 1, 0, 0, Bytes(16 << 20, 1)}));
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
  server.sessions.close(server.newest, Goodbye{"you are not on the list"});
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
    server.sessions.close(connection, Goodbye{"enough"});
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
  server.sessions.send(server.newest, TaskMessage{{}, 1, 0, 1, 0, 0, Bytes(64 << 20, 1)});
  const RawSocket nobody(server.sessions.port());
  server.serve_for(kTurn);
  const auto start = std::chrono::steady_clock::now();
  std::thread closes([&] { EXPECT_EQ(std::get<Goodbye>(reader.receive()).reason, "all rounds are done"); });
  server.sessions.stop({"all rounds are done"}, milliseconds{500});
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
  server.sessions.stop({"done"}, kLong);
  client.join();
  EXPECT_EQ(server.sessions.open(), 0U);
}

TEST(Sessions, DestructionWithOpenConnectionsIsSilent) {
  std::vector<std::string> heard;
  {
    Server server;
    const RawSocket joined = server.join(1);
    const RawSocket silent(server.sessions.port());
    server.sessions.send(server.newest, TaskMessage{{}, 1, 0, 1, 0, 0, Bytes(64 << 20, 1)});
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
