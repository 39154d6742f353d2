#include "sim/replay.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <memory>

#include "nn/kernel_set.h"
#include "program/exit_code.h"
#include "program/machine_options.h"
#include "program/tell.h"
#include "scenarios/comma_list.h"
#include "server/checkpoint.h"
#include "server/record/data_record.h"
#include "server/record/kernel_record.h"
#include "server/record/run_directory.h"
#include "server/record/scenario_difference.h"
#include "server/resolve.h"
#include "sim/commands/commands.h"
#include "sim/own_data.h"

namespace anybit {
namespace {

struct ReplayOptions {
  std::string run_directory;
  std::vector<std::string> own;  // K=FORMAT:FOLDER
  MachineOptions machine;
};

/// Gives clients back the examples that they had of their own.
void use_own_data(const std::vector<std::string>& own, Federation& federation) {
  OwnData::Clients clients;
  for (const std::string& text : own) {
    const std::size_t equals = text.find('=');
    std::uint32_t client = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + std::min(equals, text.size()), client);
    if (equals == std::string::npos || error != std::errc{} || end != text.data() + equals)
      throw CommandError(fmt::format("--own {}: write K=FORMAT:FOLDER, e.g. 3=idx:/data/mine", text));
    if (client >= federation.data->clients)
      throw CommandError(fmt::format("--own {}: the run's clients are 0 to {}", text, federation.data->clients - 1));
    clients.insert_or_assign(client, LocalData(federation.scenario, parse_data_place(text.substr(equals + 1))));
  }
  if (clients.empty()) return;
  for (const auto& [client, data] : clients)
    federation.training.largest_client =
        std::max(federation.training.largest_client, static_cast<std::uint32_t>(data.examples().size()));
  federation.data = std::make_unique<OwnData>(std::move(federation.data), std::move(clients));
}

/// Throws where the run's scenario or data is not what its model was trained with.
void refuse_other_run(const RunDirectory& directory, const Checkpoint& model, const Federation& federation) {
  const std::string path = directory.path().string();
  if (model.scenario != federation.result_bearing)
    throw CommandError(fmt::format("{}: model.ckpt is of a run with other settings than scenario.toml: {}", path,
                                   comma_list(scenario_difference(model.scenario, federation.result_bearing))));
  if (const std::string changed = data_difference(model.data, data_record(federation.data->checksums));
      !changed.empty())
    throw CommandError(
        fmt::format("{}: the run was made with other data: {}; put that back (--data-dir)", path, changed));
}

int replay_run(const ReplayOptions& options) {
  options.machine.apply();
  const RunDirectory directory(options.run_directory);
  std::error_code unreadable;
  if (!std::filesystem::is_directory(directory.path(), unreadable))
    throw CommandError(fmt::format("{}: there is no such folder", options.run_directory));
  if (!directory.is_finished())
    throw CommandError(fmt::format("{}: no model.ckpt there to compare with; finish the run first (run ... --resume)",
                                   options.run_directory));
  const Checkpoint model = read_checkpoint(directory.model().string());
  if (const std::string reason = replay_refusal(model.kernel_set, kernel_set()); !reason.empty())
    throw CommandError(fmt::format("{}: {}", options.run_directory, reason));
  const std::vector<std::string> data = data_directories(options.machine.data_directory);
  Federation federation = make_federation(resolve_file(directory.scenario().string(), {}, data).scenario, data);
  refuse_other_run(directory, model, federation);
  use_own_data(options.own, federation);
  Replay replay(federation, read_event_log(directory.events().string()), options.machine.worker_threads());
  std::string difference = replay.run();
  if (difference.empty()) difference = compare_states(model.state, replay.state());
  if (!difference.empty()) {
    tell(fmt::format("{}: the replay is not the same: {}", options.run_directory, difference));
    return 1;
  }
  fmt::print("{}: the replay ends in the same bytes after {} rounds", options.run_directory, model.state.version);
  if (replay.begun_afresh() > 0) fmt::print("; updates of clients that began afresh: {}", replay.begun_afresh());
  fmt::print("\n");
  return 0;
}

}  // namespace

void add_replay_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<ReplayOptions>();
  CLI::App& command = *program.add_subcommand("replay",
                                              "Run a finished run's events.log again; each update must have its "
                                              "checksum there, and the end be that of model.ckpt: "
                                              "parameters, the strategy's state, versions, rounds and virtual time. "
                                              "metrics.jsonl and tasks.csv are not compared");
  command.add_option("run_directory", options->run_directory, "Run directory")->required();
  command
      .add_option("--own", options->own,
                  "K=FORMAT:FOLDER: the data that client K had of its own (anybit-client without --shard)")
      ->allow_extra_args(false);
  options->machine.add_to(command);
  command.callback([options, &chosen] { chosen = [options] { return replay_run(*options); }; });
}

}  // namespace anybit
