// Runs whose devices follow a trace, by the real program: the trace belongs to the run's data, and the run has a copy.
#include <gtest/gtest.h>

#include "tests/program/started_program.h"

namespace anybit {
namespace {

struct TraceRun : testing::Test {
  ProgramFolder folder;

  void SetUp() override {
    folder.write("tiny.toml",
                 folder.read("tiny.toml") + "[fleet]\nfrom = \"fleet.toml\"\n[checkpoint]\nseconds = 0\nkeep = 4\n");
    folder.write("fleet.toml",
                 "[[fleet.class]]\nname = \"phone\"\nshare = 1.0\nwidths = [8]\n"
                 "availability = { name = \"trace\", file = \"week.csv\", repeat = 100 }\n");
    folder.write("week.csv", trace(100));
  }

  static std::string trace(int end) {
    std::string text = "client,start,end\n";
    for (int client = 0; client < 20; ++client) text += std::to_string(client) + ",0," + std::to_string(end) + "\n";
    return text;
  }

  Outcome run(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{"run", "tiny.toml", "--out", "done"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return folder.run(arguments);
  }

  void finish_run() const {
    const Outcome outcome = run();
    ASSERT_EQ(outcome.code, 0) << outcome.error;
  }
};

TEST_F(TraceRun, IsReplayedAndEvaluatedFromItsOwnFolder) {
  finish_run();
  expect_holds(folder.read("done/scenario.toml"), "[[fleet.class]]\nname = \"phone\"\n");
  expect_holds(folder.read("done/scenario.toml"),
               "[fleet.class.availability]\nname = \"trace\"\nfile = \"week.csv\"\n");
  expect_holds(folder.read("done/provenance.json"), ", \"trace/week.csv ");
  for (const char* file : {"fleet.toml", "week.csv"}) std::filesystem::remove(folder.path() / file);
  const Outcome replay = folder.run({"replay", "done"});
  EXPECT_EQ(replay.code, 0) << replay.error;
  const Outcome evaluate = folder.run({"evaluate", "done/checkpoints/checkpoint-000004.ckpt"});
  EXPECT_EQ(evaluate.code, 0) << evaluate.error;
  EXPECT_EQ(complaints(evaluate), std::vector<std::string>{}) << "who evaluates needs no trace";
}

TEST_F(TraceRun, IsNotResumedWithAnotherTrace) {
  finish_run();
  for (const char* file : {"model.ckpt", "checkpoints/checkpoint-000004.ckpt"})
    std::filesystem::remove(folder.path() / "done" / file);
  folder.write("week.csv", trace(50));
  const Outcome outcome = run({"--resume"});
  EXPECT_EQ(outcome.code, 1);
  expect_holds(outcome.error, "anybit-sim: done: the run there was started with other data: trace/week.csv (crc32 ");
  EXPECT_EQ(folder.read("done/traces/week.csv"), trace(100));
  folder.write("week.csv", trace(100));
  const Outcome again = run({"--resume"});
  EXPECT_EQ(again.code, 0) << again.error;
}

TEST_F(TraceRun, IsResumedWithItsCopyWhereTheTraceIsGone) {
  finish_run();
  const std::string model = folder.read("done/model.ckpt");
  for (const char* file : {"done/model.ckpt", "done/checkpoints/checkpoint-000004.ckpt", "week.csv"})
    std::filesystem::remove(folder.path() / file);
  const Outcome outcome = run({"--resume"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_EQ(folder.read("done/model.ckpt"), model);
}

TEST_F(TraceRun, DoesNotBeginWithTheCopyOfTheRunBefore) {
  finish_run();
  std::filesystem::remove(folder.path() / "week.csv");
  const Outcome outcome = run({"--force"});
  EXPECT_EQ(outcome.code, 1);
  expect_holds(outcome.error, "fleet.class.availability.file: there is no such file");
}

TEST_F(TraceRun, CanBeStartedAnewFromItsOwnScenario) {
  finish_run();
  std::filesystem::remove(folder.path() / "week.csv");
  const Outcome outcome = folder.run({"run", "done/scenario.toml", "--out", "done", "--force"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_EQ(folder.read("done/traces/week.csv"), trace(100));
}

TEST_F(TraceRun, TellsTheTracesMistakesBesideOthers) {
  folder.write("week.csv", trace(50) + "3,40,60\n20,0,1\n");
  const Outcome outcome = run({"--set", "training.optimizer.rate=-1"});
  EXPECT_EQ(outcome.code, 1);
  expect_holds(outcome.error, "week.csv:22: client 3: 40.0 to 60.0 overlaps 0.0 to 50.0 of line 5\n");
  expect_holds(outcome.error, "week.csv:23: there is no client 20; data.clients is 20, so they are 0 to 19\n");
  expect_holds(outcome.error, "--set training.optimizer.rate: ");
}

}  // namespace
}  // namespace anybit
