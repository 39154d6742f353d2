// Data that changes under a run, by the real program: nothing goes on silently with other examples.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/program/started_program.h"
#include "tests/sim/idx_digits.h"

namespace anybit {
namespace {

struct ChangedData : testing::Test {
  ProgramFolder folder;

  void SetUp() override {
    use_digits(folder);
    write_digits(folder, 100);
    const Outcome outcome = run({"--set", "checkpoint.seconds=0"});
    ASSERT_EQ(outcome.code, 0) << outcome.error;
  }

  Outcome run(const std::vector<std::string>& more) const {
    std::vector<std::string> arguments{"run", "tiny.toml", "--out", "done", "--data-dir", "data"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return folder.run(arguments);
  }

  /// As if the process had been killed after round 3.
  void go_back_to_round_3() const {
    for (const char* file : {"model.ckpt", "checkpoints/checkpoint-000004.ckpt"})
      std::filesystem::remove(folder.path() / "done" / file);
  }
};

const char* const kChange = "train-labels-idx1-ubyte (crc32 ";

TEST_F(ChangedData, ResumeRefusesItAndTouchesNothing) {
  go_back_to_round_3();
  const std::string provenance = folder.read("done/provenance.json");
  const std::string metrics = folder.read("done/metrics.jsonl");
  write_digits(folder, 100, 2);
  const Outcome outcome = run({"--resume"});
  EXPECT_EQ(outcome.code, 1);
  expect_holds(outcome.error, "anybit-sim: done: the run there was started with other data: ");
  expect_holds(outcome.error, kChange);
  expect_holds(outcome.error, "; put that back (--data-dir), or name another run directory");
  EXPECT_EQ(outcome.error.find("images"), std::string::npos) << "the images are the same";
  EXPECT_EQ(folder.read("done/provenance.json"), provenance);
  EXPECT_EQ(folder.read("done/metrics.jsonl"), metrics);
  write_digits(folder, 100);
  EXPECT_EQ(run({"--resume"}).code, 0);
}

TEST_F(ChangedData, TheSameDataPackedIsTheSame) {
  go_back_to_round_3();
  ASSERT_EQ(std::system(("gzip " + (folder.path() / "data/mnist/train-images-idx3-ubyte").string()).c_str()), 0);
  const Outcome outcome = run({"--resume"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
}

TEST_F(ChangedData, ReplayRefusesIt) {
  write_digits(folder, 100, 2);
  const Outcome outcome = folder.run({"replay", "done", "--data-dir", "data"});
  EXPECT_EQ(outcome.code, 1);
  expect_holds(outcome.error, "anybit-sim: done: the run was made with other data: ");
  expect_holds(outcome.error, kChange);
}

TEST_F(ChangedData, EvaluateSaysSoAndGoesOn) {
  const std::vector<std::string> evaluate{"evaluate", "done/model.ckpt", "--data-dir", "data"};
  EXPECT_EQ(folder.run(evaluate).error, "");
  write_digits(folder, 100, 2);
  const Outcome outcome = folder.run(evaluate);
  EXPECT_EQ(outcome.code, 0);
  expect_holds(outcome.error, "done/model.ckpt: the data is not that of its training: ");
  expect_holds(outcome.error, kChange);
}

}  // namespace
}  // namespace anybit
