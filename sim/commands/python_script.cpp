#include "sim/commands/python_script.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "program/exit_code.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPython = "/usr/bin/python3";  // the one that Debian's matplotlib belongs to

/// Beside the program (an installed tree, or a build folder moved with its sources), else where it was built from.
fs::path find_script(const std::string& name) {
  const fs::path beside = fs::read_symlink("/proc/self/exe").parent_path() / "scripts" / name;
  if (fs::exists(beside)) return beside;
  fs::path source = fs::path(ANYBIT_SOURCE_DIR) / "scripts" / name;
  if (fs::exists(source)) return source;
  throw CommandError(fmt::format("cannot find {}, neither {} nor {}", name, beside.string(), source.string()));
}

}  // namespace

void become_script(const std::string& name, const std::vector<std::string>& words) {
  std::vector<std::string> command{kPython, find_script(name).string()};
  command.insert(command.end(), words.begin(), words.end());
  std::vector<char*> pointers;
  for (std::string& word : command) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(kPython, pointers.data());
  throw CommandError(fmt::format("cannot start {}: {}; plots need the packages python3 and python3-matplotlib", kPython,
                                 std::strerror(errno)));
}

}  // namespace anybit
