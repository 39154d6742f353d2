// What the real program does with bad input: one clear error, a non-zero exit code, nothing lost.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "server/checkpoint.h"
#include "tests/program/started_program.h"
#include "tests/sim/idx_digits.h"

namespace anybit {
namespace {

using Words = std::vector<std::string>;

struct BadInput : testing::Test {
  ProgramFolder folder;

  /// Exit code 1 and one line that holds all the words.
  void expect_refused(const Words& arguments, const Words& words) const {
    expect_one_complaint(folder.run(arguments), words);
  }

  void run_set(const Words& settings, const Words& words) const {
    Words arguments{"run", "tiny.toml"};
    for (const std::string& setting : settings) {
      arguments.emplace_back("--set");
      arguments.push_back(setting);
    }
    expect_refused(arguments, words);
    EXPECT_FALSE(folder.has("runs"));
  }

  void finish_run(const Words& more = {}) const {
    Words arguments{"run", "tiny.toml", "--out", "done", "--threads", "1"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = folder.run(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.error;
  }

  void flip_bit(const std::string& file, std::size_t at) const {
    std::string bytes = folder.read(file);
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 4);
    folder.write(file, bytes);
  }
};

TEST_F(BadInput, MissingFile) { expect_refused({"run", "nowhere.toml"}, {"nowhere.toml", "No such file"}); }

TEST_F(BadInput, UnknownKey) { run_set({"training.epoch=2"}, {"--set", "epoch", "did you mean 'epochs'"}); }

TEST_F(BadInput, UnknownName) {
  run_set({"training.method.name=mqta"}, {"mqta", "did you mean 'mqat'", "fedavg, kure, apqn, qat, mqat, joint"});
}

TEST_F(BadInput, NegativeRate) { run_set({"training.optimizer.rate=-0.1"}, {"training.optimizer.rate"}); }

TEST_F(BadInput, CohortLargerThanClients) { run_set({"federation.cohort=21"}, {"cohort", "21", "20"}); }

TEST_F(BadInput, WrongType) { run_set({"federation.rounds=many"}, {"federation.rounds", "integer"}); }

// Four seconds of latency there and back.
TEST_F(BadInput, ADeadlineThatNobodyCanMeet) {
  const Words words = {"--set federation.deadline: none of 20 clients ever answer a task",
                       "class 'far', takes 4 s for a task"};
  const std::string far = "fleet.class=[{name = \"far\", share = 1, widths = [8], latency = 2}]";
  run_set({far, "federation.deadline=3.5"}, words);
  expect_refused({"check", "tiny.toml", "--set", far, "--set", "federation.deadline=3.5"}, words);
  EXPECT_EQ(folder.run({"check", "tiny.toml", "--set", far, "--set", "federation.deadline=4"}).code, 0);
}

TEST_F(BadInput, ActivationsWithoutRanges) {
  run_set({"training.method.name=fedavg", "data.proxy=0", "evaluate.activations=[8]", "training.method.widths=[4]"},
          {"training.method.widths"});
  folder.write("tiny.toml", [this] {
    std::string text = folder.read("tiny.toml");
    text.replace(text.find("proxy = 100"), 11, "proxy = 0");
    const std::size_t begin = text.find("[training.method]");
    text.erase(begin, text.find("[training.optimizer]") - begin);
    return text;
  }());
  run_set({"evaluate.activations=[8]"}, {"tiny.toml:", "data.proxy"});
}

TEST_F(BadInput, EvaluateSaysWhatItCannotCalibrate) {
  finish_run({"--set", "training.method.name=fedavg", "--set", "data.proxy=0"});
  expect_refused({"evaluate", "done/model.ckpt", "--activations", "8"},
                 {"done/model.ckpt: cannot quantize activations", "leave --activations out, or train anew"});
  EXPECT_EQ(folder.run({"evaluate", "done/model.ckpt", "--activations", "32"}).code, 0);
}

TEST_F(BadInput, ANameThatLeadsElsewhere) {
  for (const char* name : {"name=../evil", "name="}) run_set({name}, {"--set name: ", "cannot name a run's folder"});
  EXPECT_FALSE(folder.has("evil"));
}

TEST_F(BadInput, EvaluateNamesARangeRuleThatThereIsNot) {
  finish_run();
  expect_refused({"evaluate", "done/model.ckpt", "--range", "bogus"},
                 {"--range: unknown range rule 'bogus'; known: minmax, mse, percentile, learned"});
}

TEST_F(BadInput, NoSet) { expect_refused({"run", "tiny.toml", "--set", "epochs"}, {"epochs", "key.path=value"}); }

TEST_F(BadInput, CheckNamesEveryMistakeWithItsLine) {
  std::string text = folder.read("tiny.toml");
  text.replace(text.find("batch = 8"), 9, "bach = 8");
  text.replace(text.find("rounds = 4"), 10, "rounds = 0");
  text.replace(text.find("name = \"mqat\""), 13, "name = \"mqta\"");
  folder.write("tiny.toml", text);
  const Outcome outcome = folder.run({"check", "tiny.toml"});
  EXPECT_EQ(outcome.code, 1);
  const Words lines = complaints(outcome);
  ASSERT_EQ(lines.size(), 3U) << outcome.error;
  EXPECT_TRUE(lines[0].starts_with("tiny.toml:15: ")) << lines[0];
  EXPECT_NE(lines[0].find("did you mean 'batch'"), std::string::npos);
  EXPECT_TRUE(lines[1].starts_with("tiny.toml:17: unknown method 'mqta'")) << lines[1];
  EXPECT_TRUE(lines[2].starts_with("tiny.toml:24: ")) << lines[2];
  EXPECT_EQ(folder.run({"run", "tiny.toml"}).error, outcome.error);
}

TEST_F(BadInput, CheckTellsMistakesOfAllKindsInTheOrderOfTheFile) {
  std::string text = folder.read("tiny.toml");
  text.replace(text.find("set = \"glyphs\""), 14, "set = \"mnist\"");
  text.replace(text.find("alpha = 1.0"), 11, "alpha = -1");
  text.replace(text.find("rate = 0.1"), 10, "rate = -1\nmomentum = 2");
  text.replace(text.find("weights = [4]"), 13, "weights = [4, 99]");
  folder.write("tiny.toml", text);
  const Outcome outcome = folder.run({"check", "tiny.toml"});
  EXPECT_EQ(outcome.code, 1);
  const Words lines = complaints(outcome);
  const Words expected{"tiny.toml:4: data.set: mnist: its files are in none of",
                       "tiny.toml:6: data.examples: 'mnist' has no option 'examples'",
                       "tiny.toml:10: data.partition.alpha",
                       "tiny.toml:22: training.optimizer.rate",
                       "tiny.toml:23: training.optimizer.momentum",
                       "tiny.toml:32: evaluate.weights"};
  ASSERT_EQ(lines.size(), expected.size()) << outcome.error;
  for (std::size_t i = 0; i < lines.size(); ++i) EXPECT_TRUE(lines[i].starts_with(expected[i])) << lines[i];
  EXPECT_EQ(folder.run({"run", "tiny.toml"}).error, outcome.error);
}

struct BadData : BadInput {
  void expect_run_refused(const Words& words) const {
    expect_refused({"run", "tiny.toml", "--data-dir", "data"}, words);
    EXPECT_FALSE(folder.has("runs"));
  }
};

TEST_F(BadData, EmptyClient) {
  use_digits(folder);
  write_digits(folder, 10);  // for twenty clients
  expect_run_refused({"10"});
}

TEST_F(BadData, NoFiles) {
  use_digits(folder);
  std::filesystem::create_directory(folder.path() / "data");
  expect_run_refused({"mnist: its files are in none of: data/mnist"});
}

TEST_F(BadData, NoFolder) {
  use_digits(folder);
  write_digits(folder, 100);
  folder.write("file", "x");
  for (const std::string where : {"nowhere", "file"}) {
    for (const Words& command : {Words{"run", "tiny.toml"}, {"check", "tiny.toml"}, {"profile", "tiny.toml"}}) {
      Words words = command;
      words.insert(words.end(), {"--data-dir", where});
      expect_refused(words, {"--data-dir: Directory", where});
    }
  }
  EXPECT_FALSE(folder.has("runs"));
}

TEST_F(BadData, WrongMagic) {
  use_digits(folder);
  write_digits(folder, 100);
  flip_bit("data/mnist/train-images-idx3-ubyte", 3);
  expect_run_refused({"train-images-idx3-ubyte"});
}

TEST_F(BadData, LabelOutOfRange) {
  use_digits(folder);
  write_digits(folder, 100, 77);
  expect_run_refused({"labels-idx1-ubyte", "77"});
}

TEST_F(BadData, CutOff) {
  use_digits(folder);
  write_digits(folder, 100);
  std::filesystem::resize_file(folder.path() / "data/mnist/train-images-idx3-ubyte", 5000);
  expect_run_refused({"train-images-idx3-ubyte"});
}

TEST_F(BadData, CutOffGzip) {
  use_digits(folder);
  write_digits(folder, 100);
  const auto images = folder.path() / "data/mnist/train-images-idx3-ubyte";
  ASSERT_EQ(std::system(("gzip " + images.string()).c_str()), 0);
  const auto packed = images.string() + ".gz";
  EXPECT_EQ(folder.run({"run", "tiny.toml", "--data-dir", "data", "--out", "whole"}).code, 0);
  std::filesystem::resize_file(packed, std::filesystem::file_size(packed) / 2);
  expect_run_refused({"train-images-idx3-ubyte.gz"});
}

TEST_F(BadData, GoodFilesAreNotRefused) {
  use_digits(folder);
  write_digits(folder, 100);
  const Outcome outcome = folder.run({"run", "tiny.toml", "--data-dir", "data"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
}

TEST_F(BadData, OfAnotherSizeCannotEvaluateACheckpoint) {
  use_digits(folder);
  write_digits(folder, 100);
  ASSERT_EQ(folder.run({"run", "tiny.toml", "--data-dir", "data", "--out", "done"}).code, 0);
  write_digits(folder, 100, 1, 20);
  expect_refused({"evaluate", "done/model.ckpt", "--data-dir", "data"},
                 {"done/model.ckpt", "images of 20 x 20 x 1 in 10 classes", "--data-dir"});
  EXPECT_EQ(folder.run({"evaluate", "done/model.ckpt", "--data-dir", "data"}).error.find("resume"), std::string::npos);
  std::filesystem::create_directory(folder.path() / "empty");
  expect_refused({"evaluate", "done/model.ckpt", "--data-dir", "empty"}, {"done/model.ckpt: data.set: mnist: "});
}

TEST_F(BadInput, ARunIsNotOverwritten) {
  finish_run();
  const std::string before = folder.read("done/metrics.jsonl");
  expect_refused({"run", "tiny.toml", "--out", "done"}, {"--resume", "--force", "--out"});
  EXPECT_EQ(folder.read("done/metrics.jsonl"), before);
}

TEST_F(BadInput, ResumingAFinishedRunDoesNothing) {
  finish_run();
  const std::string before = folder.read("done/model.ckpt");
  const Outcome again = folder.run({"run", "tiny.toml", "--out", "done", "--resume"});
  EXPECT_EQ(again.code, 0);
  EXPECT_NE(again.error.find("finished"), std::string::npos);
  EXPECT_EQ(folder.read("done/model.ckpt"), before);
}

TEST_F(BadInput, ResumingWithoutACheckpointStartsAnewAndSaysSo) {
  const Outcome outcome = folder.run({"run", "tiny.toml", "--out", "new", "--resume"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_NE(outcome.error.find("starting anew"), std::string::npos);
  EXPECT_TRUE(folder.has("new/model.ckpt"));
}

TEST_F(BadInput, ResumingWithOtherKeysNamesThem) {
  finish_run();
  const Words other{"run", "tiny.toml", "--out", "done", "--resume", "--set", "seed=2", "--set", "training.epochs=3"};
  expect_refused(other, {"seed (1, now 2)", "training.epochs (1, now 3)"});
  std::filesystem::remove(folder.path() / "done/model.ckpt");
  expect_refused(other, {"seed (1, now 2)", "training.epochs (1, now 3)"});
}

TEST_F(BadInput, ResumingMayChangeWhatDecidesNoResult) {
  finish_run();
  std::filesystem::remove(folder.path() / "done/model.ckpt");
  const Outcome outcome = folder.run({"run", "tiny.toml", "--out", "done", "--resume", "--set",
                                      "federation.transport=tcp", "--set", "checkpoint.seconds=1"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_TRUE(folder.has("done/model.ckpt"));
}

TEST_F(BadInput, CheckpointOfAnotherNetwork) {
  finish_run();
  const Words other{"run", "tiny.toml", "--out", "other", "--set", "model.hidden=[12]"};
  ASSERT_EQ(folder.run(other).code, 0);
  const std::string place = "done/checkpoints/checkpoint-000004.ckpt";
  folder.write(place, folder.read("other/checkpoints/checkpoint-000004.ckpt"));
  std::filesystem::remove(folder.path() / "done/model.ckpt");
  const std::string metrics = folder.read("done/metrics.jsonl");
  expect_refused({"run", "tiny.toml", "--out", "done", "--resume"}, {"model.hidden"});
  EXPECT_EQ(folder.read("done/metrics.jsonl"), metrics);
}

// The scenario's text is right and the network in it is not.
TEST_F(BadInput, CheckpointThatContradictsItsOwnScenario) {
  finish_run();
  ASSERT_EQ(folder.run({"run", "tiny.toml", "--out", "other", "--set", "model.hidden=[12]"}).code, 0);
  const std::string place = (folder.path() / "done/checkpoints/checkpoint-000004.ckpt").string();
  const Checkpoint own = read_checkpoint(place);
  Checkpoint mixed = read_checkpoint((folder.path() / "other/checkpoints/checkpoint-000004.ckpt").string());
  mixed.scenario = own.scenario;
  write_checkpoint(place, mixed);
  std::filesystem::remove(folder.path() / "done/model.ckpt");
  const std::string metrics = folder.read("done/metrics.jsonl");
  const Outcome resumed = folder.run({"run", "tiny.toml", "--out", "done", "--resume"});
  EXPECT_EQ(resumed.code, 1);
  EXPECT_NE(resumed.error.find("done/checkpoints/checkpoint-000004.ckpt: it holds another network than the scenario"),
            std::string::npos)
      << resumed.error;
  EXPECT_EQ(folder.read("done/metrics.jsonl"), metrics);
  expect_refused({"evaluate", place}, {"checkpoint-000004.ckpt", "its network is not for the data here"});
}

TEST_F(BadInput, FlippedBitInACheckpoint) {
  finish_run();
  std::filesystem::remove(folder.path() / "done/model.ckpt");
  const std::string place = "done/checkpoints/checkpoint-000004.ckpt";
  const std::string metrics = folder.read("done/metrics.jsonl");
  for (const std::size_t at : {std::size_t{3}, std::size_t{130}, folder.read(place).size() - 1}) {
    flip_bit(place, at);
    const Outcome outcome = folder.run({"run", "tiny.toml", "--out", "done", "--resume"});
    EXPECT_EQ(outcome.code, 1);
    EXPECT_NE(outcome.error.find("checkpoint-000004.ckpt"), std::string::npos) << outcome.error;
    EXPECT_EQ(folder.read("done/metrics.jsonl"), metrics);
    expect_refused({"evaluate", place}, {"checkpoint-000004.ckpt"});
    flip_bit(place, at);
  }
  EXPECT_EQ(folder.run({"evaluate", place}).code, 0);
}

TEST_F(BadInput, ABrokenCheckpointIsPassedOverForTheOneBefore) {
  finish_run({"--set", "checkpoint.seconds=0"});
  const std::string model = folder.read("done/model.ckpt");
  std::filesystem::remove(folder.path() / "done/model.ckpt");
  flip_bit("done/checkpoints/checkpoint-000004.ckpt", 500);
  const Outcome outcome = folder.run({"run", "tiny.toml", "--out", "done", "--resume"});
  EXPECT_EQ(outcome.code, 0) << outcome.error;
  EXPECT_NE(outcome.error.find("going on after round 3"), std::string::npos) << outcome.error;
  EXPECT_EQ(folder.read("done/model.ckpt"), model);
}

TEST_F(BadInput, NoCheckpoint) {
  expect_refused({"evaluate", "tiny.toml"}, {"tiny.toml"});
  expect_refused({"evaluate", "/dev/null"}, {"/dev/null: this is no anybit checkpoint; check the path"});
  expect_refused({"evaluate", "."}, {".: is a folder, not a checkpoint"});
  folder.write("run/model.ckpt", "x");
  expect_refused({"evaluate", "run"}, {"run: is a folder; did you mean run/model.ckpt?"});
  expect_refused({"evaluate", "nothing.ckpt"}, {"nothing.ckpt", "No such file"});
  expect_refused({"replay", "nowhere"}, {"nowhere: there is no such folder"});
}

TEST_F(BadInput, ReplayFindsAnotherModel) {
  finish_run();
  ASSERT_EQ(folder.run({"run", "tiny.toml", "--out", "other", "--set", "seed=2"}).code, 0);
  folder.write("done/model.ckpt", folder.read("other/model.ckpt"));
  expect_refused({"replay", "done"},
                 {"model.ckpt is of a run with other settings than scenario.toml: seed (2, now 1)"});
}

TEST_F(BadInput, ReplayFindsAnotherLog) {
  finish_run();
  std::string log = folder.read("done/events.log");
  char& digit = log[log.find('\n', log.rfind(" update ")) - 1];
  digit = digit == '0' ? '1' : '0';
  folder.write("done/events.log", log);
  expect_refused({"replay", "done"}, {"events.log:16: the update of client"});
}

TEST_F(BadInput, RunDirectoryThatCannotBe) {
  folder.write("file", "x");
  expect_refused({"run", "tiny.toml", "--out", "file/run"}, {"file/run", "name another"});
}

TEST_F(BadInput, AFolderOfOtherThingsIsLeftAlone) {
  folder.write("mine/notes.txt", "x");
  folder.write("mine/scenario.toml", "x");
  for (const char* how : {"--isa=best", "--resume", "--force"}) {
    expect_refused({"run", "tiny.toml", "--out", "mine", how},
                   {"mine: it is not empty and holds no run; name another run directory"});
    EXPECT_FALSE(folder.has("mine/lock"));
    EXPECT_FALSE(folder.has("mine/checkpoints"));
  }
  EXPECT_EQ(folder.read("mine/scenario.toml"), "x");
}

TEST_F(BadInput, ARefusedRunLeavesNoLock) {
  use_digits(folder);
  std::filesystem::create_directory(folder.path() / "empty");
  expect_refused({"run", "tiny.toml", "--out", "empty"}, {"mnist"});
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "empty"));
}

TEST_F(BadInput, ResumeAndForceExcludeEachOther) {
  expect_refused({"run", "tiny.toml", "--resume", "--force"}, {"--resume", "excludes", "--force"});
  EXPECT_FALSE(folder.has("runs"));
}

TEST_F(BadInput, CommandLine) {
  EXPECT_EQ(folder.run({"run"}).code, 1);
  EXPECT_EQ(folder.run({"fly"}).code, 1);
  EXPECT_EQ(folder.run({"run", "tiny.toml", "--isa", "avx9"}).code, 1);
  EXPECT_EQ(folder.run({"list", "planes"}).code, 1);
  expect_refused({"profile", "tiny.toml", "--threads", "2"}, {"not expected", "--threads"});
  EXPECT_EQ(folder.run({"--help"}).code, 0);
}

}  // namespace
}  // namespace anybit
