#include "nn/kernel_set.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace anybit {
namespace {

struct Answer {
  int code = -1;
  std::string text;
};

/// Runs the probe in a process of its own.
Answer probe(const std::string& arguments) {
  const std::string command = std::string(ANYBIT_KERNEL_SET_PROBE) + " " + arguments + " 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return {};
  Answer answer;
  std::array<char, 256> buffer{};
  while (std::fgets(buffer.data(), static_cast<int>(buffer.size()), pipe) != nullptr) answer.text += buffer.data();
  const int status = pclose(pipe);
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  return answer;
}

bool machine_has_avx512() { return machine_instruction_sets().front() == "avx512"; }

using Sets = std::vector<std::string>;

/// Why the set is refused on a machine with these sets; "" where it is not.
std::string refusal(const std::string& name, const Sets& available) {
  try {
    choose_instruction_set(name, available);
  } catch (const std::runtime_error& error) {
    return error.what();
  }
  return "";
}

TEST(KernelSet, IsTheOneAskedForWhereTheMachineHasIt) {
  const Sets all = {"avx512", "avx2", "portable"};
  for (const std::string& name : all) EXPECT_EQ(choose_instruction_set(name, all), name);
  EXPECT_EQ(choose_instruction_set("best", all), "avx512");
  EXPECT_EQ(choose_instruction_set("best", {"avx2", "portable"}), "avx2");
  EXPECT_EQ(choose_instruction_set("best", {"portable"}), "portable");
}

TEST(KernelSet, IsRefusedWhereTheMachineLacksIt) {
  EXPECT_EQ(refusal("avx512", {"avx2", "portable"}), "this machine has no avx512; its best instruction set is avx2");
  EXPECT_EQ(refusal("avx512", {"portable"}), "this machine has no avx512; its best instruction set is portable");
  EXPECT_EQ(refusal("avx2", {"portable"}), "this machine has no avx2; its best instruction set is portable");
  EXPECT_EQ(refusal("portable", {"portable"}), "");
}

TEST(KernelSet, PinsAvx2) {
#if !defined(__x86_64__)
  GTEST_SKIP() << "machine: no AVX2";
#endif
  const Answer answer = probe("avx2");
  EXPECT_EQ(answer.code, 0);
  EXPECT_EQ(answer.text.rfind("avx2 oneDNN-", 0), 0U) << answer.text;
}

TEST(KernelSet, PinsAvx512OrSaysThatTheMachineLacksIt) {
  const Answer answer = probe("avx512");
  if (machine_has_avx512()) {
    EXPECT_EQ(answer.code, 0);
    EXPECT_EQ(answer.text.rfind("avx512 oneDNN-", 0), 0U) << answer.text;
  } else {
    EXPECT_EQ(answer.code, 3);
    EXPECT_NE(answer.text.find("this machine has no avx512"), std::string::npos) << answer.text;
  }
}

TEST(KernelSet, BestIsTheBestOfTheMachineAndTheDefault) {
  const Answer best = probe("best");
  EXPECT_EQ(best.code, 0);
  EXPECT_EQ(best.text, probe("").text);
  if (machine_has_avx512()) {
    EXPECT_EQ(best.text, probe("avx512").text);
  }
}

TEST(KernelSet, AnUnknownNameIsRefusedWithTheKnownOnes) {
  const Answer answer = probe("sse9");
  EXPECT_EQ(answer.code, 3);
  EXPECT_NE(answer.text.find("'sse9'; known: portable, avx2, avx512, best"), std::string::npos) << answer.text;
}

TEST(KernelSet, TheSameSetMayBePinnedAgainButNoOther) {
  EXPECT_EQ(probe("best best").code, 0);
  EXPECT_EQ(probe("use best").code, 0);
  if (!machine_has_avx512()) GTEST_SKIP() << "machine: no AVX-512";
  for (const char* arguments : {"avx512 avx2", "use avx2"}) {
    const Answer answer = probe(arguments);
    EXPECT_EQ(answer.code, 3);
    EXPECT_NE(answer.text.find("too late"), std::string::npos) << answer.text;
  }
}

}  // namespace
}  // namespace anybit
