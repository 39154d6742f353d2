#include <CLI/CLI.hpp>
#include <memory>

#include "sim/commands/commands.h"
#include "sim/commands/python_script.h"

namespace anybit {
namespace {

struct PlotOptions {
  std::vector<std::string> run_directories;
  std::string out;
};

int plot_runs(const PlotOptions& options) {
  std::vector<std::string> words;
  if (!options.out.empty()) words.insert(words.end(), {"--out", options.out});
  words.emplace_back("--");  // a folder may be named as an option
  words.insert(words.end(), options.run_directories.begin(), options.run_directories.end());
  become_script("plot.py", words);
}

}  // namespace

void add_plot_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<PlotOptions>();
  CLI::App& command = *program.add_subcommand(
      "plot", "Draw accuracy against rounds, width, virtual time, energy and bytes, as PNG and SVG");
  command.add_option("run_directories", options->run_directories, "Run directories")->required();
  command.add_option("--out", options->out,
                     "Where the pictures go (default: the run's folder; of several runs, the one around them)");
  command.callback([options, &chosen] { chosen = [options] { return plot_runs(*options); }; });
}

}  // namespace anybit
