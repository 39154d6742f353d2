#include "program/durable_file.h"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>

namespace anybit {
namespace {

namespace fs = std::filesystem;

struct DurableFiles : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("anybit_durable_" + std::to_string(::getpid()));
  std::string path = (folder / "a").string();
  DurableFiles() {
    fs::create_directories(folder);
    std::ofstream(path) << "old";
  }
  ~DurableFiles() override { fs::remove_all(folder); }

  std::string text() const {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }
};

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

TEST_F(DurableFiles, IsThereOnceItIsWhole) {
  DurableFile file(path);
  file.append(bytes("???"));
  file.append(bytes("tail"));
  file.replace_front(bytes("top"));
  file.append(bytes("+"));
  EXPECT_EQ(text(), "old");
  EXPECT_EQ(file.commit(), "");
  EXPECT_EQ(text(), "toptail+");
  EXPECT_EQ(files(), 1U);
}

TEST_F(DurableFiles, LeavesNothingWhereItIsGivenUp) {
  { DurableFile(path).append(bytes("new")); }
  EXPECT_EQ(text(), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(DurableFiles, SaysTheFirstFailureAndLeavesTheOldFile) {
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4, before.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &small);
  DurableFile file(path);
  file.append(bytes("new"));
  file.append(bytes("file"));
  file.replace_front(bytes("N"));
  const std::string failure = file.commit();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(failure,
            "cannot write " + path + ": File too large; raise the limit on the size of files (ulimit -f), then resume");
  EXPECT_EQ(text(), "old");
  EXPECT_EQ(files(), 1U);
}

TEST_F(DurableFiles, SaysThatItsFolderIsMissing) {
  DurableFile file((folder / "none" / "a").string());
  file.append(bytes("new"));
  EXPECT_NE(file.commit().find("No such file or directory; make the folder"), std::string::npos);
}

}  // namespace
}  // namespace anybit
