// A run that is stopped wherever it can be, and resumed, leaves the files of one that never was.
#include "sim/recorded_run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <regex>

#include "nn/kernel_set.h"
#include "server/checkpoint.h"
#include "server/record/resume.h"
#include "sim/replay.h"
#include "tests/program/started_program.h"
#include "tests/server/tiny_scenario.h"

namespace anybit {
namespace {

struct RecordedRunTest : testing::Test {
  ProgramFolder folder;
  Federation federation = tiny_federation({"data.proxy=200", "evaluate.every=2", "evaluate.activations=[8]",
                                           "training.method.activations=32", "checkpoint.seconds=3600"});

  /// Runs until the `last_question`-th time that it asks whether to stop. True where it came to its end before, or gave
  /// up.
  bool run(const std::string& name, bool resume, int last_question, int threads = 1) const {
    const RunDirectory directory(folder.path() / name);
    StartingPoint start = find_starting_point(directory, federation.scenario, WhoTrains::kThisProcess, resume, false);
    FederationState state = prepare_directory(directory, federation, start);
    const std::uint32_t rounds = federation.plan().rounds;
    std::FILE* nowhere = std::fopen("/dev/null", "w");
    Progress progress(nowhere, standing_after(state.version, rounds, ""));
    RecordedRun run(federation, directory, std::move(state), start.kernels, threads);
    std::atomic<int> questions = 0;
    const bool done = run.run([&] { return ++questions >= last_question; }, progress) || run.gave_up();
    std::fclose(nowhere);
    return done;
  }

  std::string metrics(const std::string& name) const {
    return std::regex_replace(folder.read(name + "/metrics.jsonl"), std::regex("\"seconds\": [0-9.]+"), "");
  }
};

constexpr int kWithoutStop = 1 << 30;

TEST_F(RecordedRunTest, GoesOnFromWhereverItWasStopped) {
  ASSERT_TRUE(run("whole", false, kWithoutStop));
  int stops = 0;
  for (int question = 1;; ++question) {
    const std::string name = "stopped-" + std::to_string(question);
    if (run(name, false, question)) break;
    ++stops;
    SCOPED_TRACE(name);
    ASSERT_FALSE(folder.has(name + "/model.ckpt"));
    ASSERT_TRUE(latest_checkpoint((folder.path() / name / "checkpoints").string()));
    ASSERT_TRUE(run(name, true, kWithoutStop));
    ASSERT_EQ(metrics(name), metrics("whole"));
    ASSERT_EQ(folder.read(name + "/events.log"), folder.read("whole/events.log"));
    ASSERT_EQ(folder.read(name + "/model.ckpt"), folder.read("whole/model.ckpt"));
  }
  // 4 rounds of 3 clients; two evaluations of one model at ten parts of the test examples and two of the proxy share.
  EXPECT_EQ(stops, 4 * 3 + 2 * (2 + 1 + 10));
}

TEST_F(RecordedRunTest, IsStoppedByAnyThread) {
  ASSERT_TRUE(run("whole", false, kWithoutStop));
  for (const int question : {2, 12, 17, 34}) {
    const std::string name = "stopped-" + std::to_string(question);
    EXPECT_FALSE(run(name, false, question, 2));
    ASSERT_TRUE(run(name, true, kWithoutStop, 2));
    EXPECT_EQ(metrics(name), metrics("whole"));
    EXPECT_EQ(folder.read(name + "/model.ckpt"), folder.read("whole/model.ckpt"));
  }
}

TEST_F(RecordedRunTest, GoesOnFromRoundsThatWereAbandoned) {
  // The last two give up on their way; the first of them is resumed from rounds before and after the first version.
  const std::vector<std::vector<std::string>> policies = {
      {"federation.cohort=3", "federation.over_selection=1.5", "federation.minimum=2", "federation.give_up=50"},
      {"federation.cohort=2", "federation.deadline=9", "federation.replace_until=1"},
      {"federation.cohort=3", "federation.minimum=3", "federation.give_up=3"},
      {"federation.cohort=3", "federation.aggregation.name=fedbuff", "federation.aggregation.concurrency=4",
       "federation.give_up=1"}};
  for (std::size_t policy = 0; policy < policies.size(); ++policy) {
    std::vector<std::string> settings = explosive_with(policies[policy]);
    settings.insert(settings.end(), {"evaluate.every=2", "checkpoint.seconds=3600", "data.proxy=0"});
    federation = tiny_federation(settings);
    const std::string whole = "whole-" + std::to_string(policy);
    ASSERT_TRUE(run(whole, false, kWithoutStop));
    for (int question = 1;; ++question) {
      const std::string name = "policy-" + std::to_string(policy) + "-" + std::to_string(question);
      if (run(name, false, question)) break;
      SCOPED_TRACE(name);
      ASSERT_TRUE(run(name, true, kWithoutStop));
      ASSERT_EQ(metrics(name), metrics(whole));
      ASSERT_EQ(folder.read(name + "/events.log"), folder.read(whole + "/events.log"));
      ASSERT_EQ(folder.has(name + "/model.ckpt"), policy < 2);
      if (policy < 2) {
        ASSERT_EQ(folder.read(name + "/model.ckpt"), folder.read(whole + "/model.ckpt"));
      }
    }
  }
}

TEST_F(RecordedRunTest, IsStoppedWhereAllDropOut) {
  federation =
      tiny_federation({"federation.give_up=1000", "evaluate.every=0", "data.proxy=0", "evaluate.activations=[32]",
                       "fleet.class=[{name = \"one\", share = 1.0, widths = [32], drop_out = 1.0}]"});
  EXPECT_FALSE(run("lost", false, 4));
  const std::string lines = folder.read("lost/metrics.jsonl");
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4);
}

TEST_F(RecordedRunTest, TestsTheLastVersionByClassOnlyAndTheSameAfterAStop) {
  federation = tiny_federation({"data.partition.name=writer", "federation.rounds=2", "evaluate.every=1",
                                "evaluate.class_clients=2", "checkpoint.seconds=3600",
                                "fleet.class=[{name = \"phone\", share = 0.5, widths = [8]}, "
                                "{name = \"watch\", share = 0.5, widths = [4, 2]}]"});
  ASSERT_TRUE(run("whole", false, kWithoutStop));
  const std::string lines = metrics("whole");
  EXPECT_EQ(std::regex_replace(lines.substr(lines.find(R"("classes": )")), std::regex(R"(0\.[0-9]+|\b1\b)"), "x"),
            R"("classes": [{"class": "phone", "weights": 8, "activations": 32, "clients": 2, "own": x, "unseen": x}, )"
            R"({"class": "watch", "weights": 4, "activations": 32, "clients": 2, "own": x, "unseen": x}, )"
            R"({"class": "watch", "weights": 2, "activations": 32, "clients": 2, "own": x, "unseen": x}]})"
            "\n");
  // 2 rounds of 3 clients, and two evaluations of one model at ten parts of the test examples, are not stopped here. By
  // class there are three models, and of two clients each what they hold and as much again, at one width and at two.
  int stops = 0;
  for (int question = 2 * 3 + 2 * (1 + 10) + 1;; ++question) {
    const std::string name = "stopped-" + std::to_string(question);
    if (run(name, false, question)) break;
    ++stops;
    ASSERT_TRUE(run(name, true, kWithoutStop, 2));
    ASSERT_EQ(metrics(name), lines) << name;
    ASSERT_EQ(folder.read(name + "/model.ckpt"), folder.read("whole/model.ckpt")) << name;
  }
  EXPECT_EQ(stops, 3 + 2 * 2 * (1 + 2));
}

// What gave up tries again when it is told to go on, and the log of both is replayed.
TEST_F(RecordedRunTest, TriesAgainAfterGivingUp) {
  for (const std::vector<std::string>& policy : std::vector<std::vector<std::string>>{
           {"federation.minimum=2", "federation.give_up=2"},
           {"federation.aggregation.name=fedbuff", "federation.aggregation.concurrency=4", "federation.give_up=1"}}) {
    std::vector<std::string> settings = explosive_with(policy);
    settings.insert(settings.end(), {"federation.cohort=3", "federation.rounds=3", "data.proxy=0"});
    federation = tiny_federation(settings);
    SCOPED_TRACE(policy[0]);
    const std::string name = policy[0];
    int runs = 0;
    while (!folder.has(name + "/model.ckpt") && ++runs < 20) ASSERT_TRUE(run(name, runs > 1, kWithoutStop));
    ASSERT_GT(runs, 1);
    ASSERT_TRUE(folder.has(name + "/model.ckpt"));
    const Checkpoint model = read_checkpoint((folder.path() / name / "model.ckpt").string());
    Replay replay(federation, read_event_log((folder.path() / name / "events.log").string()), 2);
    EXPECT_EQ(replay.run(), "");
    EXPECT_EQ(compare_states(model.state, replay.state()), "");
  }
}

// Of each attempt all tasks are on record, whose names are not used again: none of them made a version.
TEST_F(RecordedRunTest, RecordsTheTasksOfAVersionThatIsGivenUp) {
  federation = tiny_federation(
      {"federation.aggregation.name=fedbuff", "federation.aggregation.concurrency=4", "federation.give_up=2",
       "evaluate.every=0", "data.proxy=0", "evaluate.activations=[32]", "training.method.activations=32",
       "fleet.class=[{name = \"one\", share = 1.0, widths = [8], drop_out = 1.0, compute = 1e6}]"});
  const auto lines = [&](const std::string& file) {
    const std::string text = folder.read("lost/" + file);
    return std::count(text.begin(), text.end(), '\n');
  };
  for (const int attempt : {1, 2}) {
    EXPECT_TRUE(run("lost", attempt > 1, kWithoutStop));
    EXPECT_EQ(lines("metrics.jsonl"), attempt);
    EXPECT_EQ(lines("tasks.csv"), 1 + attempt * (2 * 4 + 3)) << "as many as fail, and the others who are at work";
    EXPECT_NE(metrics("lost").find(R"("wasted": {"tasks": 11, )"), std::string::npos) << metrics("lost");
    const auto left = latest_checkpoint((folder.path() / "lost/checkpoints").string());
    ASSERT_TRUE(left);
    EXPECT_EQ(left->checkpoint.state.tasks, 11U * static_cast<unsigned>(attempt));
    Replay replay(federation, read_event_log((folder.path() / "lost/events.log").string()), 2);
    EXPECT_EQ(replay.run(), "");
    EXPECT_EQ(compare_states(left->checkpoint.state, replay.state()), "");
  }
}

TEST_F(RecordedRunTest, KernelsThatMadeNoRoundAreNoPartOfTheRecord) {
  ASSERT_FALSE(run("stopped", false, 1));
  const std::string path = checkpoint_path((folder.path() / "stopped/checkpoints").string(), 0);
  Checkpoint checkpoint = read_checkpoint(path);
  checkpoint.kernel_set = "kernels of another machine";
  write_checkpoint(path, checkpoint);
  const StartingPoint start = find_starting_point(RunDirectory(folder.path() / "stopped"), federation.scenario,
                                                  WhoTrains::kThisProcess, true, false);
  EXPECT_EQ(start.kernels, kernel_set());
  EXPECT_EQ(start.notes.size(), 1U) << start.notes.front();  // going on after round 0
}

// A simulator's devices take virtual time, a server's their own: each goes on with its own runs only.
TEST_F(RecordedRunTest, GoesOnWithItsOwnClockOnly) {
  federation =
      tiny_federation({"checkpoint.seconds=0", "fleet.class=[{name=\"one\", share=1.0, compute=1e6, widths=[8]}]"});
  ASSERT_FALSE(run("stopped", false, 5));
  const RunDirectory directory(folder.path() / "stopped");
  const auto refusal = [&](WhoTrains who) {
    StartingPoint start = find_starting_point(directory, federation.scenario, who, true, false);
    try {
      prepare_directory(directory, federation, start);
    } catch (const RunError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(refusal(WhoTrains::kClients).find("one of anybit-sim, whose devices take virtual time"), std::string::npos);
  EXPECT_EQ(refusal(WhoTrains::kThisProcess), "");
  const std::optional<LatestCheckpoint> latest = latest_checkpoint(directory.checkpoints().string());
  ASSERT_GT(latest.value().checkpoint.state.round, 0U);
  Checkpoint of_server = latest->checkpoint;
  of_server.state.time = 0;
  write_checkpoint(latest->path, of_server);
  EXPECT_EQ(refusal(WhoTrains::kClients), "");
  EXPECT_NE(refusal(WhoTrains::kThisProcess).find("one of anybit-server, whose devices take"), std::string::npos);
}

}  // namespace
}  // namespace anybit
