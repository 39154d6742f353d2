#include "sim/version.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>

namespace anybit {
namespace {

/// What a shell command prints, without the line's end.
std::string output_of(const std::string& command) {
  std::string text(200, '\0');
  std::FILE* pipe = ::popen(command.c_str(), "r");
  text.resize(std::fread(text.data(), 1, text.size(), pipe));
  ::pclose(pipe);
  return text.substr(0, text.find('\n'));
}

TEST(Version, NamesTheCommitThatWasBuilt) {
  if (!std::filesystem::exists(std::string(ANYBIT_SOURCE_DIR) + "/.git")) GTEST_SKIP() << "machine: no git checkout";
  const std::string head = output_of("git -C '" ANYBIT_SOURCE_DIR "' rev-parse HEAD 2>&1");
  if (head.size() != 40) GTEST_SKIP() << "machine: git says: " << head;
  std::string commit = program_commit();
  if (commit.ends_with("-dirty")) commit.resize(commit.size() - 6);
  EXPECT_GE(commit.size(), 7U);
  EXPECT_TRUE(head.starts_with(commit)) << commit << " is built, " << head << " checked out: build again";
}

}  // namespace
}  // namespace anybit
