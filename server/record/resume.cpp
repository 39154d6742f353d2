#include "server/record/resume.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "nn/kernel_set.h"
#include "scenarios/comma_list.h"
#include "server/record/data_record.h"
#include "server/record/kernel_record.h"
#include "server/record/scenario_difference.h"
#include "server/record/trace_copies.h"
#include "server/version_maker.h"

namespace anybit {
namespace {

void refuse_other_scenario(const RunDirectory& directory, const Checkpoint& checkpoint, const Scenario& resolved) {
  const std::string now = result_bearing_text(resolved);
  if (now == checkpoint.scenario) return;
  throw RunError(
      fmt::format("{}: the run there was started with other settings: {}; set them back, or name another run directory",
                  directory.path().string(), comma_list(scenario_difference(checkpoint.scenario, now))));
}

void refuse_other_data(const RunDirectory& directory, const Checkpoint& checkpoint, const Federation& federation) {
  const std::string difference = data_difference(checkpoint.data, data_record(federation.data->checksums));
  if (difference.empty()) return;
  throw RunError(
      fmt::format("{}: the run there was started with other data: {}; put that back (--data-dir), or name "
                  "another run directory",
                  directory.path().string(), difference));
}

void refuse_states_elsewhere(const RunDirectory& directory, const Checkpoint& checkpoint, const Federation& federation,
                             WhoTrains who) {
  const std::size_t floats = client_floats(federation.training.method, *federation.training.layout);
  const bool trained_here = who == WhoTrains::kThisProcess && !checkpoint.state.counted.empty();
  const std::size_t kept_there = checkpoint.client_states ? checkpoint.client_states->floats() : 0;
  if (kept_there == (trained_here ? floats : 0)) return;
  const bool by_server = who == WhoTrains::kThisProcess;
  throw RunError(
      fmt::format("{}: the run there is one of {}, whose clients' states {}; go on with {}, or name another "
                  "run directory",
                  directory.path().string(), by_server ? "anybit-server" : "anybit-sim",
                  by_server ? "are with the clients" : "are in its checkpoints",
                  by_server ? "anybit-server" : "anybit-sim run --resume"));
}

/// Devices that take time do so on the simulator's clock, which a server does not have: a run of both would have
/// neither's times, and no replay.
void refuse_other_clock(const RunDirectory& directory, const Checkpoint& checkpoint, const Federation& federation,
                        WhoTrains who) {
  // Where a task may take none, the time of a round does not tell.
  const bool tells = federation.fleet.takes_time() && std::ranges::all_of(federation.fleet.classes(), tasks_take_time);
  if (checkpoint.state.round == 0 || !tells) return;
  const bool was_virtual = checkpoint.state.time > 0;
  if (was_virtual == (who == WhoTrains::kThisProcess)) return;
  throw RunError(
      fmt::format("{}: the run there is one of {}, whose devices {}; go on with {}, or name another run directory",
                  directory.path().string(), was_virtual ? "anybit-sim" : "anybit-server",
                  was_virtual ? "take virtual time" : "take the time they take",
                  was_virtual ? "anybit-sim run --resume" : "anybit-server"));
}

/// What only the scenario tells of a checkpoint that is whole.
void refuse_what_cannot_be(const Federation& federation, const Checkpoint& checkpoint, const std::string& path) {
  try {
    check_state(federation.plan(), checkpoint.state);
  } catch (const std::invalid_argument& error) {
    throw CheckpointError(fmt::format("checkpoint {}: {}", path, error.what()));
  }
}

/// Names that the file system takes for none, as too long ones, or that nobody may look at.
void refuse_unusable_path(const RunDirectory& directory) {
  constexpr const char* kLongestName = "checkpoint-000000.ckpt.tmp";
  std::error_code failure;
  if (std::filesystem::status(directory.checkpoints() / kLongestName, failure).type() !=
      std::filesystem::file_type::none)
    return;
  constexpr std::size_t kShown = 80;
  const std::string path = directory.path().string();
  throw RunError(fmt::format("{}: cannot be a run directory: {}; name another (--out)",
                             path.size() > kShown ? path.substr(0, kShown) + "..." : path, failure.message()));
}

/// True where the model is whole; a damaged one is noted.
bool model_is_whole(const RunDirectory& directory, const Scenario& resolved, std::vector<std::string>& notes) {
  Checkpoint model;
  try {
    model = read_checkpoint(directory.model().string());
  } catch (const CheckpointError& error) {
    notes.push_back(fmt::format("{}; writing it again from the last checkpoint", error.what()));
    return false;
  }
  refuse_other_scenario(directory, model, resolved);
  return true;
}

/// All sets that the run will have been made with: none counts that made no round.
std::string kernels_of(const Checkpoint& checkpoint, WhoTrains who, std::uint32_t rounds) {
  const bool trains = who == WhoTrains::kThisProcess;
  if (checkpoint.state.round == 0) return trains ? kernel_set() : "";
  if (!trains || checkpoint.state.version == rounds) return checkpoint.kernel_set;
  return record_with(checkpoint.kernel_set, kernel_set());
}

void go_on(const RunDirectory& directory, const Scenario& resolved, StartingPoint& start) {
  const std::string path = directory.path().string();
  start.checkpoint = latest_checkpoint(directory.checkpoints().string());
  if (!start.checkpoint) {
    if (directory.is_finished())
      throw RunError(
          fmt::format("{}: no checkpoint to write it again from; start the run anew (--force)", start.notes.back()));
    start.notes.push_back(directory.holds_run() ? fmt::format("{}: no checkpoint to resume from; starting anew", path)
                                                : fmt::format("{}: no run there to resume; starting anew", path));
    return;
  }
  const Checkpoint& checkpoint = start.checkpoint->checkpoint;
  for (const std::string& broken : start.checkpoint->broken)
    start.notes.push_back(fmt::format("{}; going on from the one before", broken));
  refuse_other_scenario(directory, checkpoint, resolved);
  start.kernels = kernels_of(checkpoint, start.who, static_cast<std::uint32_t>(resolved.federation.rounds));
  if (checkpoint.state.round > 0 && start.kernels != checkpoint.kernel_set)
    start.notes.push_back(
        fmt::format("made with kernels '{}' so far, from now on with '{}': results stay valid, but "
                    "are not equal to the last bit",
                    checkpoint.kernel_set, kernel_set()));
  start.notes.push_back(fmt::format("{}: going on after round {}", path, checkpoint.state.round));
}

}  // namespace

StartingPoint find_starting_point(const RunDirectory& directory, const Scenario& resolved, WhoTrains who, bool resume,
                                  bool force) {
  StartingPoint start;
  start.who = who;
  if (who == WhoTrains::kThisProcess) start.kernels = kernel_set();
  const std::string path = directory.path().string();
  refuse_unusable_path(directory);
  if (directory.is_foreign())
    throw RunError(fmt::format("{}: it is not empty and holds no run; name another run directory", path));
  // An empty folder is locked once it is sure that there will be a run in it.
  if (directory.holds_run()) start.lock = std::make_unique<RunLock>(directory);
  if (resume && directory.is_finished() && model_is_whole(directory, resolved, start.notes)) {
    start.finished = true;
    start.notes.push_back(fmt::format("{}: the run is finished; its model is {}", path, directory.model().string()));
  } else if (resume) {
    go_on(directory, resolved, start);
  } else if (directory.holds_run() && !force) {
    throw RunError(
        fmt::format("{}: holds a run already; go on with it (--resume), overwrite it (--force) or name "
                    "another run directory (--out)",
                    path));
  }
  return start;
}

FederationState prepare_directory(const RunDirectory& directory, const Federation& federation, StartingPoint& start) {
  if (start.checkpoint) {
    refuse_other_data(directory, start.checkpoint->checkpoint, federation);
    refuse_states_elsewhere(directory, start.checkpoint->checkpoint, federation, start.who);
    refuse_other_clock(directory, start.checkpoint->checkpoint, federation, start.who);
  }
  directory.create();
  if (!start.lock) {
    start.lock = std::make_unique<RunLock>(directory);
    if (std::filesystem::exists(directory.scenario()))
      throw RunError(fmt::format("{}: another process began a run there just now", directory.path().string()));
  }
  directory.remove_leftovers();
  if (!start.checkpoint) {
    directory.clear();
    clear_trace_copies(directory, federation.fleet);
    return federation.first_state();
  }
  Checkpoint& checkpoint = start.checkpoint->checkpoint;
  attach_layout(checkpoint, federation.training.layout, start.checkpoint->path);
  refuse_what_cannot_be(federation, checkpoint, start.checkpoint->path);
  directory.cut_back(checkpoint.state.round);
  return std::move(checkpoint.state);
}

}  // namespace anybit
