#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "sim/commands/commands.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPython = "/usr/bin/python3";  // the one that Debian's matplotlib belongs to

/// Beside the program (an installed tree, or a build folder moved with its sources), else where it was built from.
fs::path find_script() {
  const fs::path beside = fs::read_symlink("/proc/self/exe").parent_path() / "scripts" / "plot.py";
  if (fs::exists(beside)) return beside;
  fs::path source = fs::path(ANYBIT_SOURCE_DIR) / "scripts" / "plot.py";
  if (fs::exists(source)) return source;
  throw CommandError(fmt::format("cannot find plot.py, neither {} nor {}", beside.string(), source.string()));
}

int plot_runs(const std::vector<std::string>& arguments) {
  const std::string script = find_script().string();
  std::vector<char*> words{const_cast<char*>(kPython), const_cast<char*>(script.c_str())};
  for (const std::string& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::execv(kPython, words.data());
  throw CommandError(fmt::format("cannot start {}: {}; plots need the packages python3 and python3-matplotlib", kPython,
                                 std::strerror(errno)));
}

}  // namespace

void add_plot_command(CLI::App& program, Chosen& chosen) {
  auto arguments = std::make_shared<std::vector<std::string>>();
  CLI::App& command = *program.add_subcommand("plot", "Draw accuracy against rounds and against width, as PNG and SVG");
  command.add_option("run_directories", *arguments, "Run directories; further options go to scripts/plot.py")
      ->required();
  command.allow_extras();
  command.callback([arguments, &command, &chosen] {
    for (const std::string& extra : command.remaining()) arguments->push_back(extra);
    chosen = [arguments] { return plot_runs(*arguments); };
  });
}

}  // namespace anybit
