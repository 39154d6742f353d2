#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "scenarios/options.h"
#include "scenarios/scenario.h"
#include "sim/commands/commands.h"

namespace {

constexpr int kFailed = 1;

/// Runs the command; whatever goes wrong is told on standard error, once.
int run_told(const anybit::Chosen& chosen) {
  try {
    return chosen();
  } catch (const anybit::ScenarioErrors& mistakes) {
    fmt::print(stderr, "{}\n", mistakes.what());
  } catch (const anybit::ScenarioError& mistake) {
    fmt::print(stderr, "{}\n", mistake.what());
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "anybit-sim: out of memory; `anybit-sim check` says how much a scenario needs\n");
  } catch (const std::exception& error) {
    fmt::print(stderr, "anybit-sim: {}\n", error.what());
  }
  return kFailed;
}

}  // namespace

int main(int count, char** arguments) {
  CLI::App program("anybit: federated training of networks that run well at any bit width", "anybit-sim");
  program.require_subcommand(1);
  program.set_version_flag("--version", ANYBIT_VERSION);
  anybit::Chosen chosen;
  anybit::add_run_command(program, chosen);
  anybit::add_check_command(program, chosen);
  anybit::add_list_command(program, chosen);
  anybit::add_evaluate_command(program, chosen);
  anybit::add_plot_command(program, chosen);
  anybit::add_replay_command(program, chosen);
  try {
    program.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return program.exit(error) == 0 ? 0 : kFailed;
  }
  return run_told(chosen);
}
