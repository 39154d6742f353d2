#include "program/exit_code.h"

#include <gtest/gtest.h>

#include <new>

#include "scenarios/scenario.h"

namespace anybit {
namespace {

/// What is told on standard error while a program does this.
std::string told(const std::function<int()>& work, int expected) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(exit_code_of("anybit-test", work), expected);
  return testing::internal::GetCapturedStderr();
}

TEST(ExitCode, IsTheWorksOwnWhereNothingWentWrong) {
  EXPECT_EQ(told([] { return 0; }, 0), "");
  EXPECT_EQ(told([] { return kInterrupted; }, 130), "");
}

TEST(ExitCode, WhatWentWrongIsToldOnceByTheProgramsName) {
  EXPECT_EQ(told([]() -> int { throw CommandError("a command is missing"); }, 1),
            "anybit-test: a command is missing\n");
  EXPECT_EQ(told(
                []() -> int {
                  throw ScenarioError({"s.toml", 3}, "no such set", "data.set");
                },
                1),
            "s.toml:3: no such set\n");
  EXPECT_NE(told([]() -> int { throw std::bad_alloc(); }, 1).find("out of memory"), std::string::npos);
}

}  // namespace
}  // namespace anybit
