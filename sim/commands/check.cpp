#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "program/machine_options.h"
#include "program/tell.h"
#include "server/resolve.h"
#include "sim/client_state_cost.h"
#include "sim/commands/commands.h"
#include "sim/cost_report.h"
#include "sim/task_limits.h"

namespace anybit {
namespace {

struct CheckOptions {
  std::string scenario;
  std::vector<std::string> settings;
  MachineOptions machine;
};

int check_scenario(const CheckOptions& options) {
  options.machine.apply();
  const std::vector<std::string> data = data_directories(options.machine.data_directory);
  const ResolvedScenario resolved = resolve_file(options.scenario, options.settings, data);
  for (const std::string& note : resolved.notes) tell(note);
  const Federation federation = make_federation(resolved.scenario, data);
  check_task_limits(federation);
  refuse_large_client_states(federation);
  fmt::print("{}", cost_report(federation, options.machine.worker_threads()));
  return 0;
}

}  // namespace

void add_check_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<CheckOptions>();
  CLI::App& command = *program.add_subcommand("check", "Say what a scenario would run and cost, or all its mistakes");
  command.add_option("scenario", options->scenario, "Scenario file (TOML)")->required();
  command.add_option("--set", options->settings, "key.path=value: replaces a value of the scenario")
      ->allow_extra_args(false);
  options->machine.add_to(command);
  command.callback([options, &chosen] { chosen = [options] { return check_scenario(*options); }; });
}

}  // namespace anybit
