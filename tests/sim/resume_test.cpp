// Going on with the real program: what is damaged, changed or in use by somebody else.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/program/started_program.h"

namespace anybit {
namespace {

using Words = std::vector<std::string>;

struct Resume : testing::Test {
  ProgramFolder folder;

  Outcome run(const Words& more) const {
    Words arguments{"run", "tiny.toml", "--out", "done"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return folder.run(arguments);
  }

  void finish_run(const Words& more = {}) const {
    const Outcome outcome = run(more);
    ASSERT_EQ(outcome.code, 0) << outcome.error;
  }

  void flip_bit(const std::string& file, std::size_t at) const {
    std::string bytes = folder.read(file);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 4);
    folder.write(file, bytes);
  }

  /// As if the process had been killed after round 2.
  void go_back_to_round_2() const {
    for (const char* file : {"model.ckpt", "checkpoints/checkpoint-000003.ckpt", "checkpoints/checkpoint-000004.ckpt"})
      std::filesystem::remove(folder.path() / "done" / file);
  }
};

const Words kEveryRound = {"--set", "checkpoint.seconds=0", "--set", "checkpoint.keep=4"};

TEST_F(Resume, WritesADamagedModelAgain) {
  finish_run();
  const std::string model = folder.read("done/model.ckpt");
  flip_bit("done/model.ckpt", model.size() - 1);
  const Outcome outcome = run({"--resume"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  expect_holds(outcome.error, "is damaged (checksum)");
  expect_holds(outcome.error, "writing it again from the last checkpoint");
  EXPECT_EQ(folder.read("done/model.ckpt"), model);
}

TEST_F(Resume, SaysWhereThereIsNoRun) {
  const Outcome outcome = run({"--resume"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  expect_holds(outcome.error, "done: no run there to resume; starting anew\n");
}

TEST_F(Resume, RefusesANameThatIsTooLong) {
  for (const char* how : {"--resume", "--force"}) {
    const Outcome outcome = folder.run({"run", "tiny.toml", how, "--out", std::string(300, 'a')});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_EQ(complaints(outcome), Words{"anybit-sim: " + std::string(80, 'a') +
                                         "...: cannot be a run directory: File name too long; name another (--out)"});
  }
}

TEST_F(Resume, NeverThrowsADamagedModelAway) {
  finish_run();
  flip_bit("done/model.ckpt", 200);
  const std::string damaged = folder.read("done/model.ckpt");
  std::filesystem::remove_all(folder.path() / "done/checkpoints");
  const Outcome outcome = run({"--resume"});
  EXPECT_EQ(outcome.code, 1);
  expect_holds(outcome.error, "no checkpoint to write it again from");
  EXPECT_EQ(folder.read("done/model.ckpt"), damaged);
}

TEST_F(Resume, KeepsTheRecordOfBothKernelSets) {
  finish_run({"--isa", "portable", kEveryRound[0], kEveryRound[1], kEveryRound[2], kEveryRound[3]});
  go_back_to_round_2();
  const Outcome outcome = run({"--resume", "--isa", "best"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  expect_holds(outcome.error, "made with kernels 'portable anybit-");
  expect_holds(folder.read("done/model.ckpt"), " then ");
  expect_holds(folder.read("done/provenance.json"), "\"kernel_set\": \"portable anybit-");
  expect_holds(folder.read("done/provenance.json"), " then ");
  for (const char* set : {"portable", "best"}) {
    const Outcome replay = folder.run({"replay", "done", "--isa", set});
    EXPECT_EQ(replay.code, 1);
    expect_holds(replay.error, "a mixed run, made with kernels 'portable anybit-");
  }
}

TEST_F(Resume, OtherKernelsThatTrainNothingLeaveNoRecord) {
  finish_run({"--isa", "portable"});
  const std::string model = folder.read("done/model.ckpt");
  std::filesystem::remove(folder.path() / "done/model.ckpt");
  EXPECT_EQ(run({"--resume", "--isa", "best"}).code, 0);
  EXPECT_EQ(folder.read("done/model.ckpt"), model);
}

TEST_F(Resume, OneProcessAtATime) {
  Program first(folder.path(), {"run", "tiny.toml", "--out", "done", "--set", "federation.rounds=1000000"});
  first.wait_until([&] { return folder.has("done/events.log"); });
  std::filesystem::create_directory(folder.path() / "elsewhere");
  folder.write("elsewhere/tiny.toml", folder.read("tiny.toml"));
  for (const char* how : {"--resume", "--force"}) {
    const Outcome second = run_program(folder.path() / "elsewhere", {"run", "tiny.toml", "--out", "../done", how});
    EXPECT_EQ(second.code, 1);
    EXPECT_TRUE(second.error.starts_with("anybit-sim: another process runs in ../done; ")) << second.error;
  }
  first.signal(SIGKILL);
  first.wait();
  EXPECT_EQ(run({"--force"}).code, 0) << "the lock goes with its process";
}

TEST_F(Resume, NamesAFileThatLacksARound) {
  for (const char* file : {"done/metrics.jsonl", "done/events.log"}) {
    finish_run({"--force"});
    std::filesystem::remove(folder.path() / "done/model.ckpt");
    const std::string text = folder.read(file);
    folder.write(file, text.substr(0, text.size() / 2));
    const Outcome outcome = run({"--resume"});
    EXPECT_EQ(outcome.code, 1);
    expect_holds(outcome.error, file);
    expect_holds(outcome.error, "the checkpoint is of round 4");
    EXPECT_EQ(folder.read(file), text.substr(0, text.size() / 2));
  }
}

TEST_F(Resume, KeepsItsNewCheckpointBesideABrokenLaterOne) {
  finish_run(kEveryRound);
  const std::string model = folder.read("done/model.ckpt");
  go_back_to_round_2();
  folder.write("done/checkpoints/checkpoint-000009.ckpt", "broken");
  folder.write("done/model.ckpt.part", "left by a kill");
  const Outcome outcome = run({"--resume", "--set", "checkpoint.seconds=0", "--set", "checkpoint.keep=1"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_EQ(folder.read("done/model.ckpt"), model);
  EXPECT_TRUE(folder.has("done/checkpoints/checkpoint-000004.ckpt"));
  EXPECT_FALSE(folder.has("done/checkpoints/checkpoint-000009.ckpt"));
  EXPECT_FALSE(folder.has("done/model.ckpt.part"));
}

TEST_F(Resume, ARunOfAbandonedRoundsIsAFailure) {
  const Outcome outcome = run({"--set", "training.optimizer.rate=1e30", "--set", "training.method.name=fedavg"});
  EXPECT_EQ(outcome.code, 1);
  expect_holds(outcome.error,
               "gave up at version 0 of 4: the last 10 rounds were abandoned: no update was valid; updates were not "
               "finite: a smaller learning rate (training.optimizer.rate) is the usual remedy\n");
  EXPECT_FALSE(folder.has("done/model.ckpt")) << "nothing was trained";
  expect_holds(folder.read("done/metrics.jsonl"), "\"train_loss\": null");
}

}  // namespace
}  // namespace anybit
