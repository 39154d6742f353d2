// That no test waits for ever for a program that hangs.
#include "tests/program/started_program.h"

#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <csignal>

namespace anybit {
namespace {

TEST(StartedProgram, OneThatDoesNotEndIsKilledAndFailsTheTestWithItsWords) {
  const ProgramFolder folder;
  Program program(folder.path(), {"-c", "echo it hangs; exec sleep 60"}, 0, "stdout.txt", "sh");
  program.wait_until([&] { return folder.read("stdout.txt") == "it hangs\n"; });
  Outcome outcome;
  EXPECT_NONFATAL_FAILURE(outcome = program.wait(std::chrono::seconds(1)),
                          "the program did not end in 1 s:\nit hangs\n");
  EXPECT_EQ(outcome.code, 128 + SIGKILL);
}

TEST(StartedProgram, OneThatEndsInTimeFailsNothing) {
  const ProgramFolder folder;
  EXPECT_EQ(Program(folder.path(), {"-c", "exit 3"}, 0, "stdout.txt", "sh").wait().code, 3);
}

}  // namespace
}  // namespace anybit
