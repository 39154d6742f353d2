#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "nn/kernel_set.h"
#include "program/exit_code.h"
#include "program/interrupt.h"
#include "program/machine_options.h"
#include "program/resident_memory.h"
#include "program/tell.h"
#include "server/record/provenance.h"
#include "server/record/resume.h"
#include "server/record/trace_copies.h"
#include "server/resolve.h"
#include "sim/client_state_cost.h"
#include "sim/commands/commands.h"
#include "sim/recorded_run.h"
#include "sim/task_limits.h"

namespace anybit {
namespace {

struct RunOptions {
  std::string scenario;
  std::vector<std::string> settings;
  std::string out;
  bool resume = false;
  bool force = false;
  MachineOptions machine;
};

std::string quoted(const std::string& word) {
  const bool plain = word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:+") ==
                     std::string::npos;
  if (plain && !word.empty()) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

std::string resume_command(const RunOptions& options, const RunDirectory& directory) {
  std::string command = "anybit-sim run " + quoted(options.scenario);
  for (const std::string& setting : options.settings) command += " --set " + quoted(setting);
  command += " --out " + quoted(directory.path().string());
  if (!options.machine.data_directory.empty()) command += " --data-dir " + quoted(options.machine.data_directory);
  if (options.machine.isa != "best") command += " --isa " + options.machine.isa;
  return command + " --resume";
}

int run_scenario(const RunOptions& options) {
  options.machine.apply();
  const std::vector<std::string> data = data_directories(options.machine.data_directory);
  const ResolvedScenario resolved = resolve_file(options.scenario, options.settings, data);
  for (const std::string& note : resolved.notes) tell(note);
  const RunDirectory directory(options.out.empty() ? "runs/" + resolved.scenario.name : options.out);
  StartingPoint start =
      find_starting_point(directory, resolved.scenario, WhoTrains::kThisProcess, options.resume, options.force);
  for (const std::string& note : start.notes) tell(note);
  if (start.finished) return 0;

  const Federation federation =
      make_federation(resolved.scenario, start.checkpoint ? with_trace_copies(data, directory) : data);
  check_task_limits(federation);
  refuse_large_client_states(federation);
  FederationState state = prepare_directory(directory, federation, start);
  std::shared_ptr<const ClientStateReader> client_states;
  if (start.checkpoint) client_states = std::move(start.checkpoint->checkpoint.client_states);
  write_origin(directory, federation, start.kernels, state.version);

  catch_interrupts("anybit-sim: ending when the clients at work are done; a second Ctrl-C quits at once");
  Progress progress(stderr, standing_after(state.version, federation.plan().rounds,
                                           start.checkpoint ? read_file(directory.metrics()) : ""));
  // The parameters of many versions come and go, out of order: kept, their places would be half as much again.
  if (federation.plan().asynchrony) return_large_buffers();
  RecordedRun run(federation, directory, std::move(state), start.kernels, options.machine.worker_threads(),
                  client_states.get());
  client_states.reset();  // which frees the disk of a checkpoint that is removed
  const bool done = run.run(interrupted, progress);
  progress.end();
  if (done) {
    fmt::print("{}", run.recorder().result_text());
    if (run.recorder().abandoned() > 0) tell(run.recorder().abandoned_text(run.state()));
    return 0;
  }
  if (run.gave_up()) {
    tell(run.given_up_text());
    return kFailed;
  }
  tell(fmt::format("interrupted after round {}; resume with: {}", run.recorder().saved_round(),
                   resume_command(options, directory)));
  return kInterrupted;
}

}  // namespace

void add_run_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<RunOptions>();
  CLI::App& command = *program.add_subcommand("run", "Run a scenario");
  command.add_option("scenario", options->scenario, "Scenario file (TOML)")->required();
  command.add_option("--set", options->settings, "key.path=value: replaces a value of the scenario")
      ->allow_extra_args(false);
  command.add_option("--out", options->out, "Run directory (default: runs/<name>)");
  CLI::Option* resume =
      command.add_flag("--resume", options->resume, "Go on from the last checkpoint of the run directory");
  command.add_flag("--force", options->force, "Overwrite the run that is in the run directory")->excludes(resume);
  options->machine.add_to(command);
  command.callback([options, &chosen] { chosen = [options] { return run_scenario(*options); }; });
}

}  // namespace anybit
