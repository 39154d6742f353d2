#include "sim/run_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace anybit {
namespace {

namespace fs = std::filesystem;

struct RunDirectoryTest : testing::Test {
  fs::path path = fs::temp_directory_path() / ("anybit_run_directory_" + std::to_string(::getpid()));
  RunDirectory directory{path};
  ~RunDirectoryTest() override { fs::remove_all(path); }

  void put(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }
};

TEST_F(RunDirectoryTest, KnowsWhetherARunWasBegun) {
  EXPECT_FALSE(directory.holds_run());
  directory.create();
  EXPECT_TRUE(directory.holds_run());
  EXPECT_FALSE(directory.is_finished());
  put(directory.model(), "");
  EXPECT_TRUE(directory.is_finished());
}

TEST_F(RunDirectoryTest, CutsBackToAVersion) {
  directory.create();
  put(directory.metrics(), "{\"round\": 1, \"x\": 0}\n{\"round\": 2, \"x\": 0}\n{\"round\": 3, \"x\": 0}\n{\"round\": 4,");
  put(directory.events(), "0 started 0 0 -\n0 update 4 0 00000001\n0 update 5 1 00000002\n0 update 6 2 00000003\n0 upd");
  directory.cut_back(2);
  EXPECT_EQ(read_file(directory.metrics()), "{\"round\": 1, \"x\": 0}\n{\"round\": 2, \"x\": 0}\n");
  EXPECT_EQ(read_file(directory.events()), "0 started 0 0 -\n0 update 4 0 00000001\n0 update 5 1 00000002\n");
}

TEST_F(RunDirectoryTest, ClearsItsOwnFilesOnly) {
  directory.create();
  put(directory.metrics(), "x");
  put(path / "notes.txt", "mine");
  put(directory.checkpoints() / "checkpoint-000001.ckpt", "x");
  put(directory.checkpoints() / "kept.ckpt", "x");
  directory.clear();
  EXPECT_FALSE(fs::exists(directory.metrics()));
  EXPECT_FALSE(fs::exists(directory.checkpoints() / "checkpoint-000001.ckpt"));
  EXPECT_TRUE(fs::exists(path / "notes.txt"));
  EXPECT_TRUE(fs::exists(directory.checkpoints() / "kept.ckpt"));
}

TEST_F(RunDirectoryTest, SaysWhereItCannotBe) {
  put(path, "a file");
  try {
    directory.create();
    FAIL();
  } catch (const RunError& error) {
    EXPECT_NE(std::string(error.what()).find("--out"), std::string::npos);
  }
}

}  // namespace
}  // namespace anybit
