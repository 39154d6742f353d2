// A server over loopback, its clients played by the test: who is given up and when, what is refused, and what happens
// while a round is committed.
#include "server/federation_server.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server/checkpoint.h"
#include "tests/server/served_federation.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;
namespace fs = std::filesystem;

const std::vector<std::string> kAllOfTwo = {"data.clients=2", "federation.cohort=2"};
/// Two losses end a round, and there is nobody.
const std::vector<std::string> kNineteenOfTwenty = {"federation.cohort=20", "federation.minimum=19",
                                                    "federation.give_up=10"};

std::vector<std::string> with(std::vector<std::string> settings, const std::vector<std::string>& more) {
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

std::size_t count(const std::vector<LoggedEvent>& events, LoggedEvent::Kind kind) {
  return static_cast<std::size_t>(std::ranges::count(events, kind, &LoggedEvent::kind));
}

TEST(FederationServer, DoesAllRoundsAndSaysWhatItIsAt) {
  std::vector<std::string> phases;
  ServedFederation served(kAllOfTwo, [&](ServerSettings& settings) {
    settings.on_phase = [&](std::string_view phase) { phases.emplace_back(phase); };
  });
  served.start();
  ServedClient first(served, 0);
  ServedClient second(served, 1);
  for (int round = 0; round < 2; ++round) {
    const TaskId task = first.take_task();
    const TaskId other = second.take_task();
    first.send_update(task);
    first.receive<Acknowledge>();
    second.send_update(other);
    second.receive<Acknowledge>();
  }
  EXPECT_TRUE(served.wait());
  EXPECT_TRUE(served.directory.is_finished());
  EXPECT_EQ(phases, (std::vector<std::string>{"selecting", "training", "committing", "committed", "selecting",
                                              "training", "committing", "committed", "committing", "over"}));
}

TEST(FederationServer, RoundsAreAbandonedOneAtATimeEachAfterItsGrace) {
  constexpr milliseconds kGrace{150};
  std::vector<std::chrono::steady_clock::time_point> ends;
  ServedFederation served(kNineteenOfTwenty, [&](ServerSettings& settings) {
    settings.grace = kGrace;
    settings.on_phase = [&](std::string_view phase) {
      if (phase == "committed") ends.push_back(std::chrono::steady_clock::now());
    };
  });
  served.ask = [&](bool) { return ends.size() >= 3; };
  const auto begin = std::chrono::steady_clock::now();
  served.start();
  EXPECT_FALSE(served.wait());
  EXPECT_FALSE(served.server->gave_up());
  ASSERT_EQ(ends.size(), 3U);
  for (std::size_t round = 0; round < ends.size(); ++round)
    EXPECT_GE(ends[round] - (round == 0 ? begin : ends[round - 1]), kGrace) << round;
}

TEST(FederationServer, AKillAfterAnyCommitLeavesARunThatGoesOn) {
  TemporaryFolder copies;
  int commits = 0;
  ServedFederation* server = nullptr;
  ServedFederation served(kNineteenOfTwenty, [&](ServerSettings& settings) {
    settings.grace = milliseconds{100};
    settings.on_phase = [&](std::string_view phase) {
      if (phase == "committed")
        fs::copy(server->directory.path(), copies.path / std::to_string(++commits), fs::copy_options::recursive);
    };
  });
  server = &served;
  served.ask = [&](bool) { return commits >= 2; };
  served.start();
  EXPECT_FALSE(served.wait());
  for (std::uint32_t round = 1; round <= 2; ++round) {
    const RunDirectory left(copies.path / std::to_string(round));
    const std::optional<LatestCheckpoint> checkpoint = latest_checkpoint(left.checkpoints().string());
    ASSERT_TRUE(checkpoint);
    EXPECT_EQ(checkpoint->checkpoint.state.round, round);
    EXPECT_NO_THROW(left.cut_back(checkpoint->checkpoint.state.round));
  }
}

/// The round ends just when those who are away would be given up.
TEST(FederationServer, NobodyIsLostToARoundThatIsOver) {
  constexpr milliseconds kGrace{1500};
  ServedFederation* server = nullptr;
  bool slept = false;
  bool committed = false;
  const std::vector<std::string> settings = {"data.clients=3", "federation.cohort=1", "federation.over_selection=3"};
  ServedFederation served(settings, [&](ServerSettings& changed) {
    changed.grace = kGrace;
    changed.on_phase = [&](std::string_view phase) { committed = committed || phase == "committed"; };
    changed.on_turn = [&] {
      if (slept || server->server->state().round == 0) return;
      slept = true;
      std::this_thread::sleep_for(kGrace + milliseconds{200});
    };
  });
  server = &served;
  served.ask = [&](bool) { return committed; };
  served.start();
  ServedClient(served, 0).answer();
  EXPECT_FALSE(served.wait());
  EXPECT_TRUE(slept);
  EXPECT_EQ(count(served.events(), LoggedEvent::Kind::kLost), 0U);
}

TEST(FederationServer, WhoDoesNotAnswerAnOfferIsLost) {
  constexpr milliseconds kLongest{700};
  ServedFederation served(with(kAllOfTwo, {"federation.rounds=2"}),
                          [&](ServerSettings& settings) { settings.grace = settings.answer = kLongest; });
  ServedClient first(served, 0);
  ServedClient silent(served, 1);
  served.start();
  first.answer();
  silent.receive<Offer>();  // and says nothing
  first.answer();
  const TaskId task = silent.take_task();
  EXPECT_EQ(task.round, 1U);
  ServedClient again(served, 1);  // it has the task already, and may be at work on it
  EXPECT_EQ(again.receive<Offer>().id, task);
  std::this_thread::sleep_for(kLongest + milliseconds{400});
  again.send_update(task);
  EXPECT_EQ(again.receive<Acknowledge>().id, task);
  EXPECT_TRUE(served.wait());
  EXPECT_NE(served.told().find("client 1 is lost: did not answer the offer for 1 s"), std::string::npos)
      << served.told();
  EXPECT_EQ(count(served.events(), LoggedEvent::Kind::kLost), 1U);
}

TEST(FederationServer, WhoHasTheNumberOfOneWhoIsHereSendsItAway) {
  ServedFederation served(with(kAllOfTwo, {"federation.rounds=1"}));
  ServedClient first(served, 0);
  ServedClient older(served, 1);
  served.start();
  older.receive<Offer>();
  ServedClient newest(served, 1);
  const Goodbye goodbye = older.receive<Goodbye>();
  EXPECT_EQ(goodbye.reason, "client 1 joined from somewhere else");
  EXPECT_EQ(goodbye.farewell, Farewell::kRefused);
  newest.answer();
  first.answer();
  EXPECT_TRUE(served.wait());
  EXPECT_NE(served.told().find("client 1 is here already: its older line is closed"), std::string::npos);
}

TEST(FederationServer, ClaimsOfExamplesAreCapped) {
  ServedFederation served({"data.clients=4", "federation.cohort=4", "federation.rounds=1"},
                          [](ServerSettings& settings) { settings.most_examples = 40; });
  const std::uint32_t dealt = served.federation.data->examples(2);
  served.start();
  ServedClient few(served, Hello{.client = 0, .examples = 30});
  ServedClient many(served, Hello{.client = 1, .examples = 1000});
  ServedClient shard(served, 2);
  ServedClient honest(served, Hello{.client = 3, .examples = 30});
  const auto refusal = [](ServedClient& client, std::uint32_t examples) {
    client.send_update(client.take_task(), examples);
    return client.receive<Reject>().reason;
  };
  EXPECT_EQ(refusal(few, 31), "claims 31 examples and has 30");
  EXPECT_EQ(refusal(many, 41), "claims 41 examples and has 40");
  EXPECT_EQ(refusal(shard, dealt + 1), fmt::format("claims {} examples and has {}", dealt + 1, dealt));
  honest.send_update(honest.take_task(), 30);
  honest.receive<Acknowledge>();
  EXPECT_TRUE(served.wait());
  EXPECT_NE(served.metrics().find(R"("clients": 1, "failed": 3)"), std::string::npos) << served.metrics();
  EXPECT_EQ(served.server->refused_answers(), 3U);
}

TEST(FederationServer, WhoIsNotNeededAnyMoreIsReleased) {
  ServedFederation served(
      {"data.clients=2", "federation.cohort=1", "federation.over_selection=2", "federation.rounds=1"});
  served.start();
  ServedClient quick(served, 0);
  ServedClient slow(served, 1);
  const TaskId task = slow.take_task();
  quick.answer();
  const Reject reject = slow.receive<Reject>();
  EXPECT_EQ(reject.id, task);
  EXPECT_EQ(reject.reason, kLate);
  EXPECT_TRUE(served.wait());
  EXPECT_NE(served.metrics().find(R"("released": 1)"), std::string::npos) << served.metrics();
}

TEST(FederationServer, WhileARoundIsCommittedUpdatesAreRefusedAndOffersWait) {
  StandingEvaluation evaluation;
  ServedFederation served(with(kAllOfTwo, {"evaluate.every=1"}));
  served.ask = [&](bool by_server) { return evaluation.ask(by_server); };
  served.start();
  ServedClient first(served, 0);
  ServedClient second(served, 1);
  const TaskId task = first.take_task();
  first.send_update(task);
  first.receive<Acknowledge>();
  second.answer();
  evaluation.begun.wait();
  const TaskId next{task.run, task.round + 1, 0};
  first.send_update(next);
  EXPECT_EQ(first.receive<Reject>().reason, "no such task was offered");
  ServedClient anew(served, 1);
  anew.welcome();
  first.send_update(task);
  evaluation.may_end.count_down();
  EXPECT_EQ(first.receive<Offer>().id, next);
  EXPECT_EQ(first.receive<Reject>().reason, kLate);
  first.send(Accept{next});
  EXPECT_EQ(first.receive<TaskMessage>().id, next);
  first.send_update(next);
  EXPECT_EQ(first.receive<Acknowledge>().id, next);
  anew.answer();  // offered once, though it joined while the task was on its way
  EXPECT_TRUE(served.wait());
}

TEST(FederationServer, TheModelIsMeasuredWhileClientsAreServed) {
  StandingEvaluation evaluation;
  const auto killed_before_its_model = [](FederationState& state) { state.version = state.round = 2; };
  ServedFederation served(kAllOfTwo, {}, killed_before_its_model);
  served.ask = [&](bool by_server) { return evaluation.ask(by_server); };
  served.start();
  evaluation.begun.wait();
  ServedClient(served, 0).welcome();
  evaluation.may_end.count_down();
  EXPECT_TRUE(served.wait());
  EXPECT_TRUE(served.directory.is_finished());
}

TEST(FederationServer, OthersKernelsAreTold) {
  ServedFederation served(kAllOfTwo);
  served.start();
  ServedClient(served, Hello{.client = 1, .kernel_set = "abacus"}).welcome();
  served.end();
  EXPECT_NE(served.told().find("client 1 computes with kernels 'abacus', this is '" + kernel_set() + "'"),
            std::string::npos)
      << served.told();
}

TEST(FederationServer, TheLogHasTheJoinsThatMatterOnly) {
  ServedFederation served({});
  served.start();
  for (int time = 0; time < 2; ++time) ServedClient(served, Hello{.client = 0, .clients = 20}).welcome();
  served.end();
  EXPECT_EQ(count(served.events(), LoggedEvent::Kind::kJoined), 6U) << "a cohort of three, twice";
}

TEST(FederationServer, MissesThoseWhoLostTheirLineUntilTheyHaveHeard) {
  ServedFederation served({});
  std::atomic<bool> leaving = false;
  served.ask = [&](bool) {
    ServerMetrics metrics;
    served.server->measure(metrics);
    return leaving && metrics.clients_here == 1;
  };
  ServedClient lost(served, 0);
  ServedClient polite(served, 1);
  ServedClient stays(served, 2);
  served.start();
  for (ServedClient* client : {&lost, &polite, &stays}) client->welcome();
  leaving = true;
  polite.send(Goodbye{"the client was stopped"});
  lost.close();
  EXPECT_FALSE(served.wait());
  EXPECT_EQ(served.server->roster().missing(Roster::Clock::now() - std::chrono::seconds(60)), 1U);
  served.sessions->dismiss({"over", Farewell::kOver});
  const ServedClient back(served, 0);
  const auto missing = [&] { return served.server->roster().missing(Roster::Clock::now() - std::chrono::seconds(60)); };
  for (int turn = 0; turn < 1000 && missing() > 0; ++turn) served.sessions->poll(milliseconds{5});
  EXPECT_EQ(missing(), 0U);
  // The line of the one that stays is dead: it never takes its Goodbye.
  for (int turn = 0; turn < 1000 && missing() == 0; ++turn) served.sessions->poll(milliseconds{5});
  EXPECT_EQ(missing(), 1U);
  EXPECT_EQ(served.server->roster().missing(Roster::Clock::now() - std::chrono::seconds(0)), 0U)
      << "so long ago that it would be back";
}

TEST(FederationServer, ItsClockGoesOnWhereTheLogEnds) {
  ServedFederation served(kAllOfTwo, {}, {}, 7.5);
  served.start();
  ServedClient(served, 0).welcome();
  served.end();
  EXPECT_EQ(served.events().front().time, 7.5) << "at which a replay begins the round";
}

/// Nor before as many have come as a round needs.
TEST(FederationServer, NoDeadlinePassesBeforeAnybodyHasCome) {
  ServedFederation served({"data.clients=2", "federation.cohort=2", "federation.minimum=2", "federation.rounds=1",
                           "federation.deadline=0.5", "federation.give_up=1"});
  served.start();
  std::this_thread::sleep_for(milliseconds{700});
  ServedClient first(served, 0);
  first.answer();
  std::this_thread::sleep_for(milliseconds{700});
  ServedClient second(served, 1);
  second.answer();
  EXPECT_TRUE(served.wait());
  EXPECT_EQ(served.metrics().find("abandoned"), std::string::npos) << served.metrics();
  EXPECT_LT(served.events().back().time, 0.5) << "as the round's time goes";
}

/// Its clock stands still: a round that replaced whoever is away would go through all twenty, a grace for each.
TEST(FederationServer, NobodyIsReplacedBeforeAsManyHaveComeAsARoundNeeds) {
  ServedFederation served({"federation.cohort=2", "federation.minimum=2", "federation.deadline=1000",
                           "federation.replace_until=1", "federation.give_up=2"},
                          [](ServerSettings& settings) { settings.grace = milliseconds{50}; });
  served.start();
  EXPECT_FALSE(served.wait());
  EXPECT_TRUE(served.server->gave_up());
  const std::string lines = served.metrics();
  EXPECT_EQ(std::ranges::count(lines, '\n'), 2);
  EXPECT_EQ(lines.find("replaced"), std::string::npos) << lines;
  EXPECT_EQ(count(served.events(), LoggedEvent::Kind::kUnreplaced), 2U) << "the first of each round's two";
}

TEST(FederationServer, WhoIsLostIsReplacedOnceSoManyHaveCome) {
  ServedFederation served({"data.clients=3", "federation.cohort=2", "federation.minimum=2", "federation.deadline=1000",
                           "federation.replace_until=1", "federation.rounds=1"});
  served.start();
  ServedClient all(served, Hello{.client = 0, .clients = 3, .kernel_set = kernel_set()});
  const TaskId declined = all.receive<Offer>().id;
  const TaskId other = all.receive<Offer>().id;
  all.send(Decline{declined, "busy"});
  for (const TaskId& task : {other, all.receive<Offer>().id}) {
    all.send(Accept{task});
    EXPECT_EQ(all.receive<TaskMessage>().id, task);
    all.send_update(task);
    EXPECT_EQ(all.receive<Acknowledge>().id, task);
  }
  EXPECT_TRUE(served.wait());
  EXPECT_NE(served.metrics().find(R"("failed": 1, "replaced": 1)"), std::string::npos) << served.metrics();
}

}  // namespace
}  // namespace anybit
