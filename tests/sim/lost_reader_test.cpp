// Nobody reads what the program says: the run goes on, and its files are as ever.
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>

#include "tests/program/started_program.h"

namespace anybit {
namespace {

struct LostReader : testing::Test {
  ProgramFolder folder;

  /// Runs a line of shell in which SIM stands for the program; what came out of it and its exit code, in code.txt.
  std::string code_of(const std::string& line) const {
    folder.write("script.sh", "SIM='" + std::string(ANYBIT_SIM) + "'\n" + line + "\n");
    EXPECT_EQ(run_command(folder.path(), {"sh", "script.sh"}).code, 0);
    return folder.read("code.txt");
  }
};

TEST_F(LostReader, AFullDiskForWordsDoesNotEndTheRun) {
  EXPECT_EQ(code_of("\"$SIM\" run tiny.toml --out done 2> /dev/full; echo $? > code.txt"), "0\n");
  EXPECT_TRUE(folder.has("done/model.ckpt"));
}

TEST_F(LostReader, AFullDiskForResultsAndWordsIsOneFailure) {
  EXPECT_EQ(code_of("\"$SIM\" run tiny.toml --out done > /dev/full 2> /dev/full; echo $? > code.txt"), "1\n");
  EXPECT_EQ(code_of("\"$SIM\" run nowhere.toml 2> /dev/full; echo $? > code.txt"), "1\n");
  EXPECT_EQ(code_of("\"$SIM\" 2> /dev/full; echo $? > code.txt"), "1\n");
}

// The reader is gone before the program's first word.
TEST_F(LostReader, AClosedPipeDoesNotEndTheRun) {
  code_of("{ sleep 0.3; \"$SIM\" run tiny.toml --out done 2>&1 > out.txt; echo $? > code.txt; } | true");
  EXPECT_EQ(folder.read("code.txt"), "0\n");
  code_of("{ sleep 0.3; \"$SIM\" run tiny.toml --out again 2>&1; echo $? > code.txt; } | true");
  EXPECT_EQ(folder.read("code.txt"), "1\n") << "the table could not be written";
  for (const char* model : {"done/model.ckpt", "again/model.ckpt"}) EXPECT_TRUE(folder.has(model)) << model;
}

TEST_F(LostReader, AClosedTerminalLeavesACheckpoint) {
  Program run(folder.path(), {"run", "tiny.toml", "--out", "done", "--set", "federation.rounds=1000000"});
  while (!folder.has("done/events.log")) ::usleep(1000);
  run.signal(SIGHUP);
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.code, 130);
  EXPECT_NE(outcome.error.find("resume with: "), std::string::npos) << outcome.error;
  EXPECT_FALSE(std::filesystem::is_empty(folder.path() / "done/checkpoints"));
}

TEST_F(LostReader, AClosedTerminalIsNothingToARunThatIgnoresIt) {
  std::signal(SIGHUP, SIG_IGN);  // as nohup does; the program inherits it
  Program run(folder.path(), {"run", "tiny.toml", "--out", "done", "--set", "federation.rounds=200"});
  std::signal(SIGHUP, SIG_DFL);
  while (!folder.has("done/events.log")) ::usleep(1000);
  run.signal(SIGHUP);
  EXPECT_EQ(run.wait().code, 0);
}

}  // namespace
}  // namespace anybit
