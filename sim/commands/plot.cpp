#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>

#include "program/exit_code.h"
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

struct PlotOptions {
  std::vector<std::string> run_directories;
  std::string out;
};

int plot_runs(const PlotOptions& options) {
  std::vector<std::string> words{kPython, find_script().string()};
  if (!options.out.empty()) words.insert(words.end(), {"--out", options.out});
  words.emplace_back("--");  // a folder may be named as an option
  words.insert(words.end(), options.run_directories.begin(), options.run_directories.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  ::execv(kPython, pointers.data());
  throw CommandError(fmt::format("cannot start {}: {}; plots need the packages python3 and python3-matplotlib", kPython,
                                 std::strerror(errno)));
}

}  // namespace

void add_plot_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<PlotOptions>();
  CLI::App& command = *program.add_subcommand("plot", "Draw accuracy against rounds and against width, as PNG and SVG");
  command.add_option("run_directories", options->run_directories, "Run directories")->required();
  command.add_option("--out", options->out,
                     "Where the pictures go (default: the run's folder; of several runs, the one around them)");
  command.callback([options, &chosen] { chosen = [options] { return plot_runs(*options); }; });
}

}  // namespace anybit
