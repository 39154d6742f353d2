#include "server/record/output_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

namespace anybit {
namespace {

namespace fs = std::filesystem;

struct OutputFileTest : testing::Test {
  fs::path path = fs::temp_directory_path() / ("anybit_output_file_" + std::to_string(::getpid()));
  ~OutputFileTest() override { fs::remove(path); }
};

TEST_F(OutputFileTest, AppendsLines) {
  OutputFile(path).write_line("one");
  OutputFile(path).write_line("two");
  EXPECT_EQ(read_file(path), "one\ntwo\n");
}

TEST_F(OutputFileTest, NoticesAFullDisk) {
  OutputFile full("/dev/full");
  try {
    full.write_line("lost");
    full.sync();
    FAIL();
  } catch (const RunError& error) {
    EXPECT_EQ(std::string(error.what()),
              "/dev/full: cannot write: No space left on device; free some space, then resume the run");
  }
}

TEST_F(OutputFileTest, WritesWholeFiles) {
  write_file(path, "text");
  EXPECT_EQ(read_file(path), "text");
  EXPECT_THROW(write_file(path / "below" / "a" / "file", "x"), RunError);
  EXPECT_THROW((void)read_file(path.string() + ".not"), RunError);
}

}  // namespace
}  // namespace anybit
