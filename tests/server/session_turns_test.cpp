// What a server of a real federation needs of its sessions: turns of large uploads, doors that are held, signs of life,
// answers to offers.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/server/session_server.h"

namespace anybit {
namespace {

constexpr std::size_t kLarge = 1 << 20;

TEST(Sessions, LargeUploadsAreReadByTurns) {
  Server server([](SessionSettings& settings) { settings.staged_uploads = 1; });
  RawSocket first = server.join(1);
  RawSocket second = server.join(2);
  const Bytes update = encode_frame(update_of(1, kLarge));
  first.send(std::span(update).first(100));
  server.serve_for(milliseconds{20});
  std::thread sender([&] { second.send(encode_frame(update_of(2, kLarge))); });
  server.serve_for(milliseconds{100});
  EXPECT_EQ(server.heard.size(), 2U) << "the second waits unread";
  first.send(std::span(update).subspan(100));
  EXPECT_TRUE(server.serve_until_heard(4));
  sender.join();
  EXPECT_EQ(server.heard[2], "update of 1");
  EXPECT_EQ(server.heard[3], "update of 2");
}

TEST(Sessions, ATurnThatIsLostGoesToTheNext) {
  Server server([](SessionSettings& settings) { settings.staged_uploads = 1; });
  RawSocket first = server.join(1);
  RawSocket second = server.join(2);
  RawSocket third = server.join(3);
  const auto begin = [&](RawSocket& peer, std::uint32_t client) {
    peer.send(start_of(update_of(client, kLarge), 100));
    server.serve_for(milliseconds{20});
  };
  begin(first, 1);
  begin(second, 2);
  second.close();  // while it waits
  std::thread sender([&] { third.send(encode_frame(update_of(3, kLarge))); });
  server.serve_for(milliseconds{20});
  first.close();  // in its turn
  EXPECT_TRUE(server.serve_until([&] { return !server.heard.empty() && server.heard.back() == "update of 3"; }));
  sender.join();
}

TEST(Sessions, ATurnWithoutProgressEndsWhileOthersWait) {
  Server server([](SessionSettings& settings) {
    settings.staged_uploads = 1;
    settings.pace = milliseconds{200};
  });
  RawSocket loris = server.join(1);
  RawSocket honest = server.join(2);
  loris.send(start_of(update_of(1, kLarge), 100));
  server.serve_for(milliseconds{400});
  EXPECT_EQ(server.heard.size(), 2U) << "nobody waits for it";
  std::thread sender([&] { honest.send(encode_frame(update_of(2, kLarge))); });
  for (int turn = 0; turn < 25 && server.heard.size() < 4; ++turn) {
    loris.send(Bytes(100, 0));  // a little now and then wins no time
    server.serve_for(milliseconds{20});
  }
  EXPECT_TRUE(server.serve_until_heard(4));
  sender.join();
  EXPECT_EQ(server.heard[2], "lost 1+1: sent a frame too slowly while others waited");
  EXPECT_EQ(server.heard[3], "update of 2");
  EXPECT_EQ(std::get<Goodbye>(loris.receive()).farewell, Farewell::kComeAgain);
}

TEST(Sessions, ASlowLinkThatGoesOnKeepsItsTurn) {
  Server server([](SessionSettings& settings) {
    settings.staged_uploads = 1;
    settings.pace = milliseconds{200};
  });
  RawSocket slow = server.join(1);
  RawSocket other = server.join(2);
  const Bytes update = encode_frame(update_of(1, 100000));
  slow.send(std::span(update).first(100));
  server.serve_for(milliseconds{20});
  std::thread sender([&] { other.send(encode_frame(update_of(2, kLarge))); });
  for (std::size_t at = 100; at < update.size(); at += 2000) {  // 100 kB/s, for a second
    slow.send(std::span(update).subspan(at, std::min<std::size_t>(2000, update.size() - at)));
    server.serve_for(milliseconds{20});
  }
  EXPECT_TRUE(server.serve_until_heard(4));
  sender.join();
  EXPECT_EQ(server.heard[2], "update of 1");
  EXPECT_EQ(server.heard[3], "update of 2");
}

TEST(Sessions, AFrameThatGoesOnMayTakeLongerThanItsTime) {
  Server server([](SessionSettings& settings) { settings.frame = milliseconds{250}; });
  RawSocket slow = server.join(1);
  const Bytes update = encode_frame(update_of(1, 100000));
  for (std::size_t at = 0; at < update.size(); at += 2000) {  // for a second
    slow.send(std::span(update).subspan(at, std::min<std::size_t>(2000, update.size() - at)));
    server.serve_for(milliseconds{20});
  }
  EXPECT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "update of 1");
  slow.send(std::span(update).first(50000));  // fast, and no more
  EXPECT_TRUE(server.serve_until_heard(3));
  EXPECT_EQ(server.heard.back(), "lost 1+1: a frame took too long");
}

TEST(Sessions, ASlowReaderHasTheTimeOfALeastRate) {
  Server server([](SessionSettings& settings) {
    settings.frame = milliseconds{300};
    settings.least_rate = 8 << 20;
  });
  RawSocket slow = server.join(1);
  const Bytes parameters(32 << 20, 1);  // 4 seconds
  EXPECT_TRUE(server.sessions.send(server.newest, TaskMessage{{}, 1, 0, 1, 0, 0, parameters}));
  server.serve_for(milliseconds{800});
  std::atomic<bool> read = false;
  std::thread reader([&] {
    EXPECT_TRUE(std::holds_alternative<TaskMessage>(slow.receive()));
    read = true;
  });
  EXPECT_TRUE(server.serve_until([&] { return read.load(); }));
  reader.join();
  EXPECT_EQ(server.heard, Heard{"joined 1+1"});
}

TEST(Sessions, SmallFramesNeedNoTurn) {
  Server server([](SessionSettings& settings) { settings.staged_uploads = 1; });
  RawSocket first = server.join(1);
  RawSocket second = server.join(2);
  first.send(start_of(update_of(1, kLarge), 100));
  server.serve_for(milliseconds{20});
  second.send(encode_frame(update_of(2)));
  EXPECT_TRUE(server.serve_until_heard(3));
  EXPECT_EQ(server.heard.back(), "update of 2");
}

TEST(Sessions, WhoIsHeldHearsWhenToComeAgain) {
  Server server;
  server.sessions.hold(Goodbye{"recovering", Farewell::kComeAgain, 250});
  RawSocket early(server.sessions.port());
  early.send(encode_frame(Hello{.client = 1}));
  ASSERT_TRUE(server.serve_until([&] { return server.sessions.turned_away() == 1; }));
  server.serve_for(kTurn);
  const Message heard = early.receive();
  EXPECT_EQ(std::get<Goodbye>(heard).reason, "recovering");
  EXPECT_EQ(std::get<Goodbye>(heard).farewell, Farewell::kComeAgain);
  EXPECT_EQ(std::get<Goodbye>(heard).wait_milliseconds, 250U);
  server.sessions.hold(std::nullopt);
  server.join(1);
  EXPECT_EQ(server.heard, (Heard{"held 1+1", "joined 1+1"}));
}

TEST(Sessions, AHeartbeatIsAnsweredAndIsNoSilence) {
  Server server([](SessionSettings& settings) { settings.silence = milliseconds{300}; });
  RawSocket peer = server.join(1);
  for (int beat = 0; beat < 5; ++beat) {
    peer.send(encode_frame(Heartbeat{}));
    server.serve_for(milliseconds{100});
    EXPECT_TRUE(std::holds_alternative<Heartbeat>(peer.receive()));
  }
  EXPECT_EQ(server.heard.size(), 1U);
}

// A server that was stopped, or waited for its disk, finds what its clients said meanwhile unread.
TEST(Sessions, APauseOfTheServerIsNobodysSilence) {
  Server server([](SessionSettings& settings) { settings.silence = milliseconds{300}; });
  RawSocket peer = server.join(1);
  std::this_thread::sleep_for(milliseconds{1000});
  server.serve_for(milliseconds{100});
  EXPECT_EQ(server.heard, Heard{"joined 1+1"});
  ASSERT_TRUE(server.serve_until_heard(2));
  EXPECT_EQ(server.heard.back(), "lost 1+1: was silent for too long");
}

// A client that uploads, or waits for its turn, cannot ask: its Heartbeats would come behind the upload.
TEST(Sessions, WhoIsInTheMiddleOfAFrameHearsHeartbeats) {
  Server server([](SessionSettings& settings) {
    settings.staged_uploads = 1;
    settings.welcome.heartbeat_milliseconds = 50;
  });
  RawSocket sends = server.join(1);
  RawSocket waits = server.join(2);
  sends.send(start_of(update_of(1, kLarge), 100));
  server.serve_for(milliseconds{20});
  waits.send(start_of(update_of(2, kLarge), 100));
  server.serve_for(milliseconds{400});
  for (int beat = 0; beat < 2; ++beat) {
    EXPECT_TRUE(std::holds_alternative<Heartbeat>(sends.receive()));
    EXPECT_TRUE(std::holds_alternative<Heartbeat>(waits.receive()));
  }
}

TEST(Sessions, AnswersToOffersArriveAndOthersClientsDoNot) {
  Server server;
  RawSocket peer = server.join(1);
  peer.send(encode_frame(Accept{{99, 7, 1}}));
  peer.send(encode_frame(Decline{{99, 7, 1}, "too large"}));
  ASSERT_TRUE(server.serve_until_heard(3));
  EXPECT_EQ(server.heard[1], "accept of 1");
  EXPECT_EQ(server.heard[2], "decline of 1: too large");
  peer.send(encode_frame(Accept{{99, 7, 2}}));
  ASSERT_TRUE(server.serve_until_heard(4));
  EXPECT_EQ(server.heard[3], "lost 1+1: answered for client 2, which it does not play");
}

TEST(Sessions, WhoWasTooSlowMayComeAgainAndWhoBrokeTheRulesMayNot) {
  Server server([](SessionSettings& settings) { settings.silence = milliseconds{100}; });
  RawSocket slow = server.join(1);
  ASSERT_TRUE(server.serve_until_heard(2));
  server.serve_for(kTurn);
  EXPECT_EQ(std::get<Goodbye>(slow.receive()).farewell, Farewell::kComeAgain);
  RawSocket rude = server.join(2);
  rude.send(encode_frame(update_of(3)));
  ASSERT_TRUE(server.serve_until_heard(4));
  server.serve_for(kTurn);
  EXPECT_EQ(std::get<Goodbye>(rude.receive()).farewell, Farewell::kRefused);
}

}  // namespace
}  // namespace anybit
