#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "nn/kernel_set.h"
#include "nn/winograd.h"
#include "program/machine_options.h"
#include "program/tell.h"
#include "server/resolve.h"
#include "sim/commands/commands.h"
#include "sim/profile.h"

namespace anybit {
namespace {

struct ProfileOptions {
  std::string scenario;
  std::vector<std::string> settings;
  double seconds = 2;
  bool direct = false;
  MachineOptions machine;
};

int profile_scenario(const ProfileOptions& options) {
  options.machine.apply();
  if (options.direct) pin_direct_convolutions();
  const std::vector<std::string> data = data_directories(options.machine.data_directory);
  const ResolvedScenario resolved = resolve_file(options.scenario, options.settings, data);
  for (const std::string& note : resolved.notes) tell(note);
  const Federation federation = make_federation(resolved.scenario, data);
  fmt::print("{}: {}, method {}, on one thread with {}\n\n{}", federation.scenario.name, federation.scenario.model.name,
             federation.training.method.name, kernel_set(), profile_text(profile(federation, options.seconds)));
  return 0;
}

}  // namespace

void add_profile_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<ProfileOptions>();
  CLI::App& command = *program.add_subcommand("profile", "Say where the time of a training step goes, layer by layer");
  command.add_option("scenario", options->scenario, "Scenario file (TOML)")->required();
  command.add_option("--set", options->settings, "key.path=value: replaces a value of the scenario")
      ->allow_extra_args(false);
  command.add_option("--seconds", options->seconds, "How long to train for it")->check(CLI::Range(0.01, 3600.0));
  command.add_flag("--direct", options->direct,
                   "Compute every convolution directly, none by Winograd's filtering, which does fewer FLOPs");
  options->machine.add_without_threads_to(command);
  command.callback([options, &chosen] { chosen = [options] { return profile_scenario(*options); }; });
}

}  // namespace anybit
