#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "program/exit_code.h"
#include "program/interrupt.h"
#include "program/version.h"
#include "sim/commands/commands.h"

namespace {

/// The exit code of the command that the arguments name, or of what is wrong with them.
int run_command(int count, char** arguments) {
  CLI::App program("anybit: federated training of networks that run well at any bit width", "anybit-sim");
  program.failure_message([](const CLI::App*, const CLI::Error& error) {
    return fmt::format("anybit-sim: {} (--help lists what there is)\n", error.what());
  });
  program.set_version_flag("--version", fmt::format("{} ({})", anybit::program_version(), anybit::program_commit()));
  anybit::Chosen chosen;
  anybit::add_run_command(program, chosen);
  anybit::add_check_command(program, chosen);
  anybit::add_list_command(program, chosen);
  anybit::add_evaluate_command(program, chosen);
  anybit::add_plot_command(program, chosen);
  anybit::add_timeline_command(program, chosen);
  anybit::add_replay_command(program, chosen);
  anybit::add_profile_command(program, chosen);
  try {
    program.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : anybit::kFailed;
  }
  if (!chosen) throw anybit::CommandError("a command is missing (--help lists them)");
  return chosen();
}

}  // namespace

int main(int count, char** arguments) {
  anybit::ignore_closed_pipes();
  return anybit::exit_code_of("anybit-sim", [&] { return run_command(count, arguments); });
}
