// No room: the run ends with one error, and goes on to the same bytes once there is some. By a limit on the size of
// files, which picks the file that fails, and by a small disk.
#include <gtest/gtest.h>

#include "tests/program/started_program.h"

namespace anybit {
namespace {

using Words = std::vector<std::string>;

struct FullDisk : testing::Test {
  ProgramFolder folder;

  static Words run_words(const Words& settings, const std::string& out, const Words& more = {}) {
    Words all{"run", "tiny.toml", "--out", out};
    for (const std::string& setting : settings) {
      all.emplace_back("--set");
      all.push_back(setting);
    }
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void expect_nothing_lost(const std::string& rounds, long beyond_checkpoint, const Words& error) const {
    const Words settings = {"federation.rounds=" + rounds, "checkpoint.seconds=0"};
    ASSERT_EQ(folder.run(run_words({settings[0]}, "whole")).code, 0);
    const long checkpoint_bytes = static_cast<long>(folder.read("whole/model.ckpt").size());
    Program early(folder.path(), run_words(settings, "full"),
                  static_cast<std::size_t>(checkpoint_bytes + beyond_checkpoint));
    expect_one_complaint(early.wait(), error);
    EXPECT_FALSE(folder.has("full/model.ckpt"));
    EXPECT_EQ(folder.run(run_words(settings, "full", {"--resume"})).code, 0);
    EXPECT_EQ(folder.read("full/model.ckpt"), folder.read("whole/model.ckpt"));
  }
};

TEST_F(FullDisk, NoRoomForACheckpointLosesNothing) { expect_nothing_lost("40", -1, {"checkpoint", "File too large"}); }

TEST_F(FullDisk, NoRoomForTheMetricsLosesNothing) {
  // A line of metrics has well over 150 bytes: 400 of them outgrow the checkpoint of 52 kB.
  expect_nothing_lost("400", 1000, {"metrics.jsonl", "File too large"});
}

TEST_F(FullDisk, OutputOnItIsNoSuccess) {
  ASSERT_EQ(folder.run({"run", "tiny.toml", "--out", "done"}).code, 0);
  for (const Words& arguments : {Words{"list", "codecs"}, Words{"evaluate", "done/model.ckpt", "--json"},
                                 Words{"run", "tiny.toml", "--out", "again"}})
    expect_one_complaint(Program(folder.path(), arguments, 0, "/dev/full").wait(),
                         {"cannot write the output", "No space left"});
}

struct SmallDisk : FullDisk {
  void SetUp() override {
    std::filesystem::create_directory(folder.path() / "disk");
    const Outcome mounted = run_command(folder.path(), {"unshare", "-m", "mount", "-t", "tmpfs", "none", "disk"});
    if (mounted.code != 0) GTEST_SKIP() << "machine: no root for a tmpfs";
  }

  /// One run on 130 kB of memory disk, which goes with its namespace; then the same disk is made larger, the run
  /// resumed, and its files copied to resumed/. What the first run did comes back, with its files listed in left.txt.
  Outcome run_into_the_end_of_the_disk(const Words& settings) const {
    std::string command = '"' + std::string(ANYBIT_SIM) + '"';
    for (const std::string& word : run_words(settings, "disk/run")) command += ' ' + word;
    folder.write("script.sh",
                 "set -eu; unset ANYBIT_DATA\n"
                 "mount -t tmpfs -o size=130k none disk\n"
                 "code=0; " +
                     command +
                     " > first.out 2> first.err || code=$?\n"
                     "ls disk/run > left.txt\n"
                     "mount -o remount,size=10m disk\n" +
                     command +
                     " --resume > second.out 2> second.err\n"
                     "cp -r disk/run resumed\n"
                     "exit $code\n");
    Outcome first = run_command(folder.path(), {"unshare", "-m", "sh", "script.sh"});
    first.error += folder.read("first.err");
    return first;
  }

  void expect_nothing_lost(const std::string& rounds, const std::string& kept) const {
    const Words settings = {"federation.rounds=" + rounds, "checkpoint.seconds=0", "checkpoint.keep=" + kept};
    ASSERT_EQ(folder.run(run_words({settings[0]}, "whole")).code, 0);
    const Outcome first = run_into_the_end_of_the_disk(settings);
    expect_one_complaint(first, {"disk/run/", "No space left on device"});
    EXPECT_NE(folder.read("left.txt"), "");
    EXPECT_EQ(folder.read("left.txt").find("model.ckpt"), std::string::npos);
    EXPECT_NE(folder.read("second.err").find("going on after round"), std::string::npos) << folder.read("second.err");
    for (const char* file : {"/model.ckpt", "/events.log"})
      EXPECT_EQ(folder.read(std::string("resumed").append(file)), folder.read(std::string("whole").append(file)));
  }
};

// Checkpoints have 52 kB: a third one does not fit before the oldest goes.
TEST_F(SmallDisk, NoRoomForACheckpointLosesNothing) { expect_nothing_lost("20", "2"); }

// One and the next fit, until the records of many rounds have taken their room.
TEST_F(SmallDisk, RecordsThatGrowIntoTheRoomOfACheckpointLoseNothing) { expect_nothing_lost("150", "1"); }

}  // namespace
}  // namespace anybit
