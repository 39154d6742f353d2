#include "client/participant.h"

#include <gtest/gtest.h>

#include "tests/client/played_server.h"
#include "tests/wire/samples.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  return text.replace(text.find(what), what.size(), with);
}

/// What the participant declines the last message with; "" where it does not.
std::string declined(RawSocket& peer) {
  const Message answer = peer.receive();
  const auto* decline = std::get_if<Decline>(&answer);
  return decline == nullptr ? "" : decline->reason;
}

bool accepts(RawSocket& peer, const Offer& offer) {
  peer.send(encode_frame(offer));
  const Message answer = peer.receive();
  return std::holds_alternative<Accept>(answer) && std::get<Accept>(answer).id == offer.id;
}

TEST(Participant, TakesTheTaskThatItWasOfferedAndEndsWithTheRun) {
  PlayedServer server;
  RawSocket peer = server.welcome();
  EXPECT_TRUE(server.was_greeted());
  const Offer offer = server.offer();
  ASSERT_TRUE(accepts(peer, offer));
  peer.send(encode_frame(server.task(offer)));
  const Message answer = peer.receive();
  ASSERT_TRUE(std::holds_alternative<UpdateMessage>(answer));
  EXPECT_EQ(std::get<UpdateMessage>(answer).id, offer.id);
  EXPECT_EQ(std::get<UpdateMessage>(answer).examples, 20U);
  peer.send(encode_frame(Acknowledge{offer.id}));
  peer.send(encode_frame(Goodbye{"the run is over", Farewell::kOver}));
  EXPECT_EQ(server.end(), "over");
}

// A server that went back to an earlier checkpoint makes the same task of other parameters.
TEST(Participant, AnAnswerIsKeptForTheParametersThatItWasTrainedFrom) {
  PlayedServer server;
  RawSocket peer = server.welcome();
  const Offer offer = server.offer();
  ASSERT_TRUE(accepts(peer, offer));
  peer.send(encode_frame(server.task(offer)));
  const Message answer = peer.receive();
  ASSERT_TRUE(std::holds_alternative<UpdateMessage>(answer));
  EXPECT_EQ(std::get<UpdateMessage>(answer).digest, offer.digest);
  peer.close();

  RawSocket again = server.welcome();
  EXPECT_TRUE(std::holds_alternative<UpdateMessage>(again.receive())) << "nobody has acknowledged it";
  again.send(encode_frame(offer));
  const Offer other = server.offer(0, 0.5F);
  ASSERT_TRUE(accepts(again, other)) << "the offer before needs no other answer";
  again.send(encode_frame(Reject{other.id, "of other parameters"}));  // it crossed the offer
  again.send(encode_frame(server.task(other)));
  const Message anew = again.receive();
  ASSERT_TRUE(std::holds_alternative<UpdateMessage>(anew));
  EXPECT_EQ(std::get<UpdateMessage>(anew).digest, other.digest);
  EXPECT_FALSE(server.has_told("is not needed any more"));
}

TEST(Participant, ATaskThatWasOnlyOfferedIsNotNeededAnyMoreWhereItsUpdateIsRefused) {
  PlayedServer server;
  RawSocket peer = server.welcome();
  const Offer offer = server.offer();
  ASSERT_TRUE(accepts(peer, offer));
  peer.send(encode_frame(Reject{offer.id, "late"}));
  peer.send(encode_frame(Reject{offer.id, "late"}));  // to Accept, which crossed the first
  peer.send(encode_frame(server.task(offer)));
  EXPECT_EQ(declined(peer), "it was not accepted");
  EXPECT_TRUE(server.has_told("round 1: is not needed any more"));

  ASSERT_TRUE(accepts(peer, offer));
  peer.send(encode_frame(server.task(offer)));
  ASSERT_TRUE(std::holds_alternative<UpdateMessage>(peer.receive()));
  EXPECT_FALSE(server.has_told("does not take the update"));
  peer.send(encode_frame(Reject{offer.id, "late"}));
  EXPECT_TRUE(accepts(peer, offer)) << "the update is forgotten";
  EXPECT_TRUE(server.has_told("round 1: the server does not take the update: late"));
}

TEST(Participant, WhereRoundsAreAsynchronousTasksHaveNumbersOfTheirOwn) {
  PlayedServer server({}, replaced(kPlayedScenario, "cohort = 1", "cohort = 1\naggregation = \"fedasync\""));
  RawSocket peer = server.welcome();
  const Offer offer = server.offer(16);
  ASSERT_TRUE(accepts(peer, offer));
  peer.send(encode_frame(server.task(offer)));
  ASSERT_TRUE(std::holds_alternative<UpdateMessage>(peer.receive()));
  EXPECT_TRUE(server.has_told("task 17: trained on "));
}

TEST(Participant, ATaskAtWorkIsDroppedForTheSameOneOfOtherParameters) {
  PlayedServer server({}, replaced(kPlayedScenario, "epochs = 1", "epochs = 2000"));
  RawSocket peer = server.welcome();
  const Offer offer = server.offer();
  ASSERT_TRUE(accepts(peer, offer));
  peer.send(encode_frame(server.task(offer)));
  peer.send(encode_frame(offer));  // needs no answer, its task is at work
  EXPECT_TRUE(accepts(peer, server.offer(0, 0.5F)));
}

TEST(Participant, AnOfferIsHeldToTheScenario) {
  PlayedServer server;
  RawSocket peer = server.welcome();
  const auto reason = [&](const std::function<void(Offer&)>& change) {
    Offer offer = server.offer();
    change(offer);
    peer.send(encode_frame(offer));
    return declined(peer);
  };
  EXPECT_EQ(reason([](Offer& offer) { ++offer.layout; }), "its network is not the one of the scenario");
  EXPECT_EQ(reason([](Offer& offer) { offer.method = "fedavg"; }), "its method is not the one of the scenario");
  EXPECT_EQ(reason([](Offer& offer) { offer.options += "rounding = 1\n"; }),
            "its method is not the one of the scenario");
  EXPECT_EQ(reason([](Offer& offer) { ++offer.id.run; }), "it is of another run or client");
  EXPECT_EQ(reason([](Offer& offer) { offer.id.client = 2; }), "it is of another run or client");
  EXPECT_NE(reason([](Offer& offer) { ++offer.parameters; }).find("its parameters: "), std::string::npos);
  EXPECT_NE(reason([](Offer& offer) { offer.parameters = 1ULL << 60; }).find("its parameters: "), std::string::npos);
  EXPECT_TRUE(accepts(peer, server.offer()));
}

TEST(Participant, ATaskIsHeldToItsOffer) {
  PlayedServer server;
  RawSocket peer = server.welcome();
  const Offer offer = server.offer();
  const auto reason = [&](const std::function<void(TaskMessage&)>& change) {
    EXPECT_TRUE(accepts(peer, offer));
    TaskMessage task = server.task(offer);
    change(task);
    peer.send(encode_frame(task));
    return declined(peer);
  };
  EXPECT_EQ(reason([](TaskMessage& task) { ++task.id.round; }), "its name is not what was offered");
  EXPECT_EQ(reason([](TaskMessage& task) { ++task.layout; }), "its network is not what was offered");
  EXPECT_EQ(reason([](TaskMessage& task) { ++task.chunks; }), "its chunks are not what was offered");
  EXPECT_EQ(reason([](TaskMessage& task) { ++task.counted; }), "its state is not what was offered");
  EXPECT_EQ(reason([](TaskMessage& task) { task.parameters = task.parameters.first(8); }),
            "its parameters are not what was offered");
  EXPECT_EQ(reason([](TaskMessage& task) {
              Bytes other = bytes_of(task.parameters);
              other.back() = static_cast<std::uint8_t>(other.back() ^ 1U);
              task.parameters = keep(other);
            }),
            "its parameters are not what was offered");
  peer.send(encode_frame(Goodbye{"again", Farewell::kComeAgain, 1}));
  RawSocket again = server.welcome();
  again.send(encode_frame(server.task(offer)));
  EXPECT_EQ(declined(again), "it was not accepted") << "on this connection";
}

TEST(Participant, NobodySendsMoreThanWasOffered) {
  PlayedServer server;
  RawSocket peer = server.welcome();
  const Offer offer = server.offer();
  ASSERT_TRUE(accepts(peer, offer));
  TaskMessage task = server.task(offer);
  const Bytes large(2 << 20, 7);
  task.parameters = large;
  peer.send(encode_frame(task));
  const Message goodbye = peer.receive();
  ASSERT_TRUE(std::holds_alternative<Goodbye>(goodbye));
  EXPECT_NE(std::get<Goodbye>(goodbye).reason.find("allowed are 1048576"), std::string::npos);
}

TEST(Participant, TheOwnerIsAskedAboutTheMethodThatTrainsNotTheOneThatIsClaimed) {
  PlayedServer server([](ParticipantSettings& settings) { settings.limits.methods = {"qat", "fedavg"}; });
  RawSocket peer = server.welcome();
  peer.send(encode_frame(server.offer()));
  EXPECT_EQ(declined(peer), "the method 'mqat' is not allowed here; allowed: qat, fedavg");
  Offer claims = server.offer();
  claims.method = "fedavg";
  claims.options.clear();
  peer.send(encode_frame(claims));
  EXPECT_NE(declined(peer), "");
}

TEST(Participant, WhatTheServersScenarioWouldTakeIsAskedBeforeItIsTaken) {
  PlayedServer server({}, replaced(kPlayedScenario, "batch = 8", "batch = 2000000000"));
  RawSocket peer = server.welcome();
  peer.send(encode_frame(server.offer()));
  const std::string reason = declined(peer);
  EXPECT_NE(reason.find(" of memory, this machine has "), std::string::npos) << reason;

  PlayedServer small([](ParticipantSettings& settings) { settings.limits.memory = 1e4; });
  RawSocket other = small.welcome();
  other.send(encode_frame(small.offer()));
  EXPECT_NE(declined(other).find(" of memory, allowed are 10.0 kB"), std::string::npos);
}

TEST(Participant, WidthsThatTheMethodCannotTrainEndItBeforeTheFirstTask) {
  PlayedServer server([](ParticipantSettings& settings) { settings.widths = {3}; },
                      replaced(kPlayedScenario, "activations = 8", R"(sampling = "device", range = "learned")"));
  RawSocket peer = server.welcome();
  const std::string end = server.end();
  EXPECT_EQ(end.find("--widths: the server's scenario trains by method 'mqat': "), 0U) << end;
}

TEST(Participant, AFormatIsHeldToTheScenarioForAShardToo) {
  PlayedServer server([](ParticipantSettings& settings) { settings.data = {"cifar-10", "/nowhere"}; });
  RawSocket peer = server.welcome();
  const std::string end = server.end();
  EXPECT_EQ(end.find("--data cifar-10:/nowhere: the server's scenario trains on 'glyphs'"), 0U) << end;
}

TEST(Participant, ARefusalIsOneSentenceAndNoSecondTry) {
  PlayedServer server;
  RawSocket peer = server.accept();
  (void)peer.receive();
  peer.send(encode_frame(Goodbye{"plays 9 clients"}));
  EXPECT_EQ(server.end(), "the server refuses this client: plays 9 clients");
}

TEST(Participant, WhoComesAfterTheEndHearsSoAndDoesNotTryAgain) {
  PlayedServer server;
  RawSocket peer = server.accept();
  (void)peer.receive();
  peer.send(encode_frame(Goodbye{"the run is over", Farewell::kOver}));
  EXPECT_EQ(server.end(), "over");
  EXPECT_TRUE(server.has_told("the server says: the run is over"));
  EXPECT_FALSE(server.has_told("trying again"));
}

TEST(Participant, AnotherProtocolIsFinalAndSaysWhatToDo) {
  PlayedServer server;
  RawSocket peer = server.accept();
  (void)peer.receive();
  Bytes frame = encode_frame(Goodbye{"who are you"});
  frame[4] = 1;
  peer.send(frame);
  EXPECT_EQ(server.end(), "the other end speaks protocol 1, this one " + std::to_string(kProtocol) +
                              ": both need the same version of anybit");
}

TEST(Participant, AnAnswerThatIsNoneIsFinal) {
  PlayedServer server;
  RawSocket peer = server.accept();
  (void)peer.receive();
  peer.send(encode_frame(Acknowledge{}));
  const Message goodbye = peer.receive();
  ASSERT_TRUE(std::holds_alternative<Goodbye>(goodbye));
  EXPECT_EQ(std::get<Goodbye>(goodbye).reason, "answered Hello with something else than Welcome");
  EXPECT_EQ(server.end(), "the server answered Hello with something else than Welcome");
}

TEST(Participant, NoServerSendsItAwayForLongerThanItsOwnerWaits) {
  PlayedServer server([](ParticipantSettings& settings) { settings.give_up = milliseconds(300); });
  RawSocket peer = server.accept();
  (void)peer.receive();
  peer.send(encode_frame(Goodbye{"come in spring", Farewell::kComeAgain, 0xffffffff}));
  const auto begin = std::chrono::steady_clock::now();
  RawSocket again = server.accept();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST(Participant, WhoGivesUpSaysWhatFailedLast) {
  PlayedServer server([](ParticipantSettings& settings) { settings.give_up = milliseconds(0); });
  {
    RawSocket peer = server.welcome();
    std::this_thread::sleep_for(milliseconds(100));
  }
  EXPECT_EQ(
      server.end(),
      "lost the server: the server closed the connection; there was no word from the server for 0:00 (--give-up)");
}

TEST(Participant, WhatNoServerSaysEndsTheConnectionWithAGoodbye) {
  const auto farewell = [&](const Bytes& frame) -> std::string {
    PlayedServer server;
    RawSocket peer = server.welcome();
    peer.send(frame);
    const Message goodbye = peer.receive();
    peer.close();
    if (!std::holds_alternative<Goodbye>(goodbye)) return "no goodbye";
    (void)server.accept();
    EXPECT_TRUE(server.has_told("lost the server: "));
    return std::get<Goodbye>(goodbye).reason;
  };
  EXPECT_EQ(farewell(Bytes(24, 'x')), "not a frame of anybit");
  EXPECT_EQ(farewell(frame_of(12, {})), "unknown kind of frame 12");
  EXPECT_EQ(farewell(encode_frame(Welcome{})), "sent a second Welcome");
  for (const Message& message : {Message(Hello{}), Message(sample_update()), Message(Accept{}), Message(Decline{})})
    EXPECT_EQ(farewell(encode_frame(message)), "sent what only a client says") << message.index();
}

TEST(Participant, ComesAgainWhereItsPreparationsTookLongerThanAHeartbeat) {
  PlayedServer server;
  RawSocket peer = server.welcome(1);
  EXPECT_EQ(std::get<Goodbye>(peer.receive()).reason, "it has read its data and comes again");
  EXPECT_EQ(peer.receive_all(), Bytes());
  RawSocket again = server.welcome(60000);
  EXPECT_TRUE(server.was_greeted());
  EXPECT_TRUE(accepts(again, server.offer()));
  EXPECT_FALSE(server.has_told("lost the server"));
}

}  // namespace
}  // namespace anybit
