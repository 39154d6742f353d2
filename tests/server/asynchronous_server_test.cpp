// Asynchronous rounds over loopback, the clients played by the test. Both of two are always at work, one makes a
// version: so the test says who is how far behind.
#include <gtest/gtest.h>

#include <fstream>

#include "server/record/data_record.h"
#include "server/record/resume.h"
#include "tests/server/served_federation.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;

const std::vector<std::string> kBothAtWork = {"data.clients=2", "federation.cohort=1",
                                              "federation.aggregation.name=fedbuff",
                                              "federation.aggregation.concurrency=2", "federation.rounds=3"};

std::vector<std::string> both_at_work(const std::vector<std::string>& more) {
  std::vector<std::string> settings = kBothAtWork;
  settings.insert(settings.end(), more.begin(), more.end());
  return settings;
}

/// The log's updates and losses: the client, and the task's number or -1.
std::vector<std::pair<std::uint32_t, int>> ends_in_log(ServedFederation& served) {
  std::vector<std::pair<std::uint32_t, int>> ends;
  for (const LoggedEvent& event : served.events()) {
    if (event.kind == LoggedEvent::Kind::kUpdate) ends.emplace_back(event.client, event.round);
    if (event.kind == LoggedEvent::Kind::kLost) ends.emplace_back(event.client, -1);
  }
  return ends;
}

TEST(AsynchronousServer, WhoIsSlowCountsThoughVersionsHaveGoneBy) {
  std::vector<std::string> phases;
  ServedFederation served(kBothAtWork, [&](ServerSettings& settings) {
    settings.on_phase = [&](std::string_view phase) { phases.emplace_back(phase); };
  });
  served.start();
  ServedClient quick(served, 0);
  ServedClient slow(served, 1);
  const TaskId early = slow.take_task();
  quick.answer();
  quick.answer();
  const TaskId unneeded = quick.take_task();
  slow.send_update(early);
  EXPECT_EQ(slow.receive<Acknowledge>().id, early);
  EXPECT_EQ(quick.receive<Reject>().id, unneeded) << "the run is over";
  EXPECT_TRUE(served.wait());
  EXPECT_TRUE(served.directory.is_finished());
  ServerMetrics told;
  served.server->measure(told);
  EXPECT_EQ(told.staleness, 2);
  EXPECT_EQ(told.most_stale, 2U);
  EXPECT_EQ(told.counts.released, 1U);
  EXPECT_EQ(told.counts.lost, 0U);
  EXPECT_NE(served.metrics().find(R"("round": 3)"), std::string::npos) << served.metrics();
  EXPECT_NE(served.metrics().find(R"("staleness": {"mean": 2, "most": 2})"), std::string::npos) << served.metrics();
  // One of the two was asked first.
  const int first = early.round == 0 ? 1 : 0;
  EXPECT_EQ(ends_in_log(served),
            (std::vector<std::pair<std::uint32_t, int>>{{0, first}, {0, 2}, {1, static_cast<int>(early.round)}}));
  EXPECT_EQ(std::ranges::count(phases, "selecting"), 1) << "somebody is always at work";
}

TEST(AsynchronousServer, AnUpdateDuringACommitCountsAfterwards) {
  StandingEvaluation evaluation;
  std::vector<std::uint32_t> committed;
  ServedFederation* server = nullptr;
  ServedFederation served(both_at_work({"evaluate.every=1"}), [&](ServerSettings& settings) {
    settings.on_phase = [&](std::string_view phase) {
      if (phase == "committed") committed.push_back(server->server->state().version);
    };
  });
  server = &served;
  served.ask = [&](bool by_server) { return evaluation.ask(by_server); };
  served.start();
  ServedClient quick(served, 0);
  ServedClient slow(served, 1);
  const TaskId early = slow.take_task();
  quick.answer();
  evaluation.begun.wait();
  slow.send_update(early);
  slow.send(Heartbeat{});
  slow.receive<Heartbeat>();  // so what came before was read, too
  evaluation.may_end.count_down();
  EXPECT_EQ(slow.receive<Acknowledge>().id, early);
  slow.answer();
  EXPECT_TRUE(served.wait());
  EXPECT_EQ(committed, (std::vector<std::uint32_t>{1, 2, 3}));
  EXPECT_NE(served.metrics().find(R"("staleness": {"mean": 1, "most": 1})"), std::string::npos) << served.metrics();
}

TEST(AsynchronousServer, WhatElseIsSaidDuringACommitIsTakenAfterwards) {
  StandingEvaluation evaluation;
  ServedFederation served({"data.clients=4", "federation.cohort=1", "federation.aggregation.name=fedbuff",
                           "federation.aggregation.concurrency=4", "federation.rounds=2", "evaluate.every=1"});
  served.ask = [&](bool by_server) { return evaluation.ask(by_server); };
  served.start();
  ServedClient quick(served, 0);
  ServedClient accepting(served, 1);
  ServedClient declining(served, 2);
  ServedClient returning(served, 3);
  const TaskId accepted = accepting.receive<Offer>().id;
  const TaskId declined = declining.receive<Offer>().id;
  const TaskId taken = returning.take_task();
  quick.answer();
  evaluation.begun.wait();
  accepting.send(Accept{accepted});
  declining.send(Decline{declined, "not now"});
  ServedClient back(served, 3);
  for (ServedClient* client : {&accepting, &declining, &back}) {
    client->send(Heartbeat{});
    client->receive<Heartbeat>();  // so what came before was read, too
  }
  evaluation.may_end.count_down();
  EXPECT_EQ(accepting.receive<TaskMessage>().id, accepted);
  EXPECT_EQ(back.receive<Offer>().id, taken);
  EXPECT_NE(declining.receive<Offer>().id, declined) << "it was lost, and is the only one to be asked anew";
  back.send_update(taken);
  EXPECT_EQ(back.receive<Acknowledge>().id, taken);
  EXPECT_TRUE(served.wait());
  EXPECT_NE(served.told().find("client 2 is lost: declines: not now"), std::string::npos) << served.told();
}

TEST(AsynchronousServer, WhoFallsTooFarBehindIsReleased) {
  ServedFederation served(both_at_work({"federation.aggregation.max_staleness=0", "federation.rounds=2"}));
  served.start();
  ServedClient quick(served, 0);
  ServedClient slow(served, 1);
  const TaskId early = slow.take_task();
  quick.answer();
  EXPECT_EQ(slow.receive<Reject>().id, early);
  const TaskId next = slow.take_task();
  EXPECT_GT(next.round, early.round);
  slow.send_update(early);
  EXPECT_EQ(slow.receive<Reject>().reason, kLate);
  slow.send_update(next);
  EXPECT_EQ(slow.receive<Acknowledge>().id, next);
  EXPECT_TRUE(served.wait());
  EXPECT_NE(served.metrics().find(R"("clients": 1, "failed": 0, "released": 1)"), std::string::npos)
      << served.metrics();
}

TEST(AsynchronousServer, EachTaskHasTheDeadlineForItself) {
  ServedFederation served(both_at_work({"federation.deadline=0.8", "federation.rounds=2"}));
  served.start();
  ServedClient slow(served, 1);
  const TaskId early = slow.take_task();
  const Reject reject = slow.receive<Reject>();
  EXPECT_EQ(reject.id, early);
  EXPECT_EQ(reject.reason, kLate);
  const TaskId next = slow.take_task();
  slow.send_update(next);
  EXPECT_EQ(slow.receive<Acknowledge>().id, next);
  slow.answer();
  EXPECT_TRUE(served.wait());
  EXPECT_NE(served.metrics().find(R"("released": )"), std::string::npos) << served.metrics();
}

TEST(AsynchronousServer, EndsThoughAllMissTheirDeadline) {
  ServedFederation served(both_at_work({"federation.deadline=0.2", "federation.give_up=2"}));
  served.start();
  ServedClient silent(served, 0);
  EXPECT_FALSE(served.wait());
  EXPECT_TRUE(served.server->gave_up());
  EXPECT_EQ(served.recorder->given_up_text(served.server->state()),
            "gave up at version 0 of 3: too many tasks of a version were lost, refused or late; more time "
            "(federation.deadline) may help");
}

TEST(AsynchronousServer, SaysWhyTasksFailed) {
  ServedFederation served(both_at_work({"federation.give_up=1"}));
  served.start();
  ServedClient quick(served, 0);
  ServedClient other(served, 1);
  quick.send(Decline{quick.receive<Offer>().id, "too little memory"});
  other.send(Decline{other.receive<Offer>().id, "too little memory"});
  EXPECT_FALSE(served.wait());
  const std::string text = served.recorder->given_up_text(served.server->state());
  EXPECT_NE(text.find("(at last: client "), std::string::npos) << text;
  EXPECT_NE(text.find(" is lost: declines: too little memory)"), std::string::npos) << text;
}

TEST(AsynchronousServer, RecordsWhatWasDoneForTheVersionThatItGivesUp) {
  ServedFederation served({"data.clients=3", "federation.cohort=2", "federation.aggregation.name=fedbuff",
                           "federation.aggregation.concurrency=2", "federation.rounds=3", "federation.give_up=1"});
  Coordinator by_hand(served.federation.plan(), served.federation.first_state());
  std::vector<Action> first;
  by_hand.handle(Started{}, 0, first);
  const std::uint32_t answering = std::get<SendTask>(first.at(0)).client;
  const std::uint32_t declining = std::get<SendTask>(first.at(1)).client;
  served.start();
  ServedClient one(served, answering);
  ServedClient other(served, declining);
  ServedClient next(served, 3 - answering - declining);
  one.answer();
  other.send(Decline{other.receive<Offer>().id, "busy"});
  next.send(Decline{next.receive<Offer>().id, "busy"});
  EXPECT_FALSE(served.wait());
  const std::string line = served.metrics();
  EXPECT_NE(line.find(R"("clients": 1, "failed": 2, "released": 1, "version": 0, "abandoned": true})"),
            std::string::npos)
      << line;
  EXPECT_EQ(line.find(R"("bytes_up": 0,)"), std::string::npos) << "the update that counts for nothing cost its bytes";
  const auto left = latest_checkpoint(served.directory.checkpoints().string());
  ASSERT_TRUE(left);
  EXPECT_EQ(left->checkpoint.state.round, 1U);
  EXPECT_EQ(left->checkpoint.state.tasks, 4U) << "names that are not used again";
  EXPECT_EQ(served.events().back().kind, LoggedEvent::Kind::kConcluded);
}

/// Of the server that was killed nothing is left but its last checkpoint; what it had asked for goes on.
TEST(AsynchronousServer, AServerThatGoesOnWaitsForTheTasksInFlight) {
  FederationState left;
  TaskId taken;
  {
    ServedFederation killed(kBothAtWork);
    killed.start();
    ServedClient quick(killed, 0);
    ServedClient slow(killed, 1);
    taken = slow.take_task();
    quick.answer();
    quick.take_task();
    killed.end();
    left = killed.server->state();
  }
  ASSERT_EQ(left.version, 1U);
  constexpr milliseconds kLongest{300};
  ServedFederation served(
      kBothAtWork,
      [&](ServerSettings& settings) {
        settings.had_run = true;
        settings.grace = settings.answer = kLongest;
      },
      [&](FederationState& state) { state = left; }, 5.0);
  ServedClient quick(served, 0);
  ServedClient slow(served, 1);
  served.start();
  EXPECT_EQ(slow.receive<Offer>().id, taken) << "of which it has the answer soon";
  EXPECT_EQ(quick.receive<Offer>().id.round, 2U) << "which its last one was, too: it is at work on it";
  quick.send_update({taken.run, 57, 0});
  EXPECT_EQ(quick.receive<Reject>().reason, kLate) << "given after the checkpoint, as far as the server knows";
  EXPECT_EQ(served.server->refused_answers(), 0U);
  std::this_thread::sleep_for(kLongest + milliseconds{300});
  slow.send_update(taken);
  EXPECT_EQ(slow.receive<Acknowledge>().id, taken);
  quick.send_update({taken.run, 2, 0});
  EXPECT_EQ(quick.receive<Acknowledge>().id.round, 2U);
  EXPECT_TRUE(served.wait());
  EXPECT_EQ(served.told().find("is lost"), std::string::npos) << served.told();
}

/// Only the scenario tells that there is no such client.
TEST(AsynchronousServer, RefusesACheckpointOfClientsThatThereAreNot) {
  const Federation federation = served_scenario(kBothAtWork);
  const TemporaryFolder folder;
  const RunDirectory directory(folder.path / "run");
  directory.create();
  for (const auto& file : {directory.metrics(), directory.events()}) std::ofstream(file).flush();
  const auto go_on = [&](std::uint32_t client) {
    StartingPoint start;
    Checkpoint checkpoint;
    checkpoint.data = data_record(federation.data->checksums);
    checkpoint.state = federation.first_state();
    checkpoint.layout = federation.training.layout->digest();
    Coordinator coordinator(federation.plan(), checkpoint.state);
    std::vector<Action> actions;
    coordinator.handle(Started{}, 0, actions);
    const auto& sent = std::get<SendTask>(actions.front());
    checkpoint.state.tasks = 1;
    checkpoint.state.in_flight = {{.client = client, .number = 0}};
    checkpoint.state.downlinks = {{0, sent.digest, sent.parameters}};
    start.checkpoint = LatestCheckpoint{"a.ckpt", std::move(checkpoint), {}};
    return prepare_directory(directory, federation, start);
  };
  EXPECT_EQ(go_on(1).in_flight.size(), 1U);
  EXPECT_THROW(go_on(2), CheckpointError);
  EXPECT_THROW(go_on(4'000'000'000U), CheckpointError);
}

}  // namespace
}  // namespace anybit
