#include <gtest/gtest.h>

#include "tests/program/started_program.h"

namespace anybit {
namespace {

struct OldMachine : testing::Test {
  ProgramFolder folder;

  Outcome run_with(const std::string& set) const {
    return Program(folder.path(), {"run", "tiny.toml", "--out", set, "--isa", set}, 0, "stdout.txt", ANYBIT_OLD_MACHINE)
        .wait();
  }
};

TEST_F(OldMachine, RefusesTheSetThatItLacks) {
  expect_one_complaint(run_with("avx512"),
                       {"anybit-sim: this machine has no avx512; its best instruction set is avx2"});
  EXPECT_FALSE(folder.has("avx512"));
}

TEST_F(OldMachine, TakesItsBest) {
  for (const char* set : {"best", "avx2"}) EXPECT_EQ(run_with(set).code, 0);
  EXPECT_NE(folder.read("best/provenance.json").find("\"kernel_set\": \"avx2 oneDNN-"), std::string::npos);
  EXPECT_EQ(folder.read("best/model.ckpt"), folder.read("avx2/model.ckpt"));
}

}  // namespace
}  // namespace anybit
