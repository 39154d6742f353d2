// Nobody reads what the program says: the run goes on, and its files are as ever.
#include <gtest/gtest.h>

#include "tests/sim/program.h"

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

}  // namespace
}  // namespace anybit
