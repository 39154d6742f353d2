#include <CLI/CLI.hpp>
#include <memory>

#include "sim/commands/commands.h"
#include "sim/commands/python_script.h"

namespace anybit {
namespace {

struct TimelineOptions {
  std::string run_directory;
  std::string rounds;
  std::string clients;
  std::string out;
};

/// The script reads the numbers, too, and says what is wrong with them.
int draw_timeline(const TimelineOptions& options) {
  std::vector<std::string> words;
  // One word each, as a value may begin with a dash.
  if (!options.rounds.empty()) words.push_back("--rounds=" + options.rounds);
  if (!options.clients.empty()) words.push_back("--clients=" + options.clients);
  if (!options.out.empty()) words.push_back("--out=" + options.out);
  words.insert(words.end(), {"--", options.run_directory});  // a folder may be named as an option
  become_script("timeline.py", words);
}

}  // namespace

void add_timeline_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<TimelineOptions>();
  CLI::App& command =
      *program.add_subcommand("timeline", "Draw rounds, clients and stragglers against virtual time, as PNG and SVG");
  command.add_option("run_directory", options->run_directory, "Run directory")->required();
  command.add_option("--rounds", options->rounds, "A-B: from round A to round B (default: the first that fit well)");
  command.add_option("--clients", options->clients, "How many clients to show at most (default: 60)");
  command.add_option("--out", options->out, "Where the picture goes (default: the run's folder)");
  command.callback([options, &chosen] { chosen = [options] { return draw_timeline(*options); }; });
}

}  // namespace anybit
