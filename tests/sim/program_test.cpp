// The tests' own means to wait for a program.
#include "tests/program/started_program.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <csignal>

namespace anybit {
namespace {

struct WaitUntil : testing::Test {
  ProgramFolder folder;

  Program shell(const std::string& script) const { return {folder.path(), {"-c", script}, 0, "stdout.txt", "sh"}; }
};

TEST_F(WaitUntil, ReturnsWithTheProgramAtWork) {
  Program program = shell("echo 1 >file; exec sleep 60");
  program.wait_until([&] { return folder.has("file"); });
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait().code, 128 + SIGTERM);
}

TEST_F(WaitUntil, TakesWhatAProgramDidLast) {
  Program program = shell("echo 1 >file");
  program.wait_until([&] { return folder.has("file"); });
  EXPECT_EQ(program.wait().code, 0);
}

TEST_F(WaitUntil, FailsWithWhatAProgramSaidThatEndedBefore) {
  Program program = shell("echo no data >&2; exit 3");
  EXPECT_NONFATAL_FAILURE(program.wait_until([] { return false; }), "the program ended before: no data");
  EXPECT_EQ(program.wait().code, 3);
}

TEST_F(WaitUntil, KillsAProgramThatTakesTooLong) {
  Program program = shell("exec sleep 60");
  EXPECT_NONFATAL_FAILURE(program.wait_until([] { return false; }, std::chrono::seconds(0)), "takes too long");
  EXPECT_EQ(program.wait().code, 128 + SIGKILL);
}

}  // namespace
}  // namespace anybit
