#include "program/version.h"

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

const std::string kSource = ANYBIT_SOURCE_DIR;

/// What git says in a checkout, else what git archive wrote, else that nobody knows.
std::string expected_commit() {
  if (std::filesystem::exists(kSource + "/.git")) {
    const std::string head = output_of("git -C '" + kSource + "' rev-parse HEAD 2>/dev/null");
    return head.empty() ? "unknown" : head;
  }
  const std::string archived = output_of("cat '" + kSource + "/cmake/commit.txt'");
  return archived.starts_with("$") ? "unknown" : archived;
}

TEST(Version, NamesTheCommitThatWasBuilt) {
  std::string commit = program_commit();
  if (commit.ends_with("-dirty")) commit.resize(commit.size() - 6);
  ASSERT_GE(commit.size(), 7U);
  const std::string expected = expected_commit();
  EXPECT_TRUE(expected.starts_with(commit)) << commit << " is built, not " << expected << ": build again";
}

}  // namespace
}  // namespace anybit
