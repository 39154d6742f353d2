#include "sim/resume.h"

#include <fmt/format.h>

#include "nn/kernel_set.h"
#include "sim/comma_list.h"
#include "sim/scenario_difference.h"

namespace anybit {
namespace {

void refuse_other_scenario(const RunDirectory& directory, const Checkpoint& checkpoint, const Scenario& resolved) {
  const std::string now = result_bearing_text(resolved);
  if (now == checkpoint.result_bearing) return;
  throw RunError(fmt::format(
      "{}: the run there was started with other settings: {}; set them back, or start another run with --out",
      directory.path().string(), comma_list(scenario_difference(checkpoint.result_bearing, now))));
}

void note_other_kernels(const Checkpoint& checkpoint, std::vector<std::string>& notes) {
  if (checkpoint.kernel_set != kernel_set())
    notes.push_back(fmt::format("the run was begun with kernels '{}', now '{}': results stay valid, but are not equal "
                                "to the last bit",
                                checkpoint.kernel_set, kernel_set()));
}

}  // namespace

StartingPoint find_starting_point(const RunDirectory& directory, const Scenario& resolved, bool resume, bool force) {
  StartingPoint start;
  const std::string path = directory.path().string();
  if (resume && directory.is_finished()) {
    refuse_other_scenario(directory, read_checkpoint(directory.model().string()), resolved);
    start.finished = true;
    start.notes.push_back(fmt::format("{}: the run is finished; its model is {}", path, directory.model().string()));
    return start;
  }
  if (resume) {
    start.checkpoint = latest_checkpoint(directory.checkpoints().string());
    if (!start.checkpoint) {
      start.notes.push_back(fmt::format("{}: no checkpoint to resume from; starting anew", path));
      return start;
    }
    const Checkpoint& checkpoint = start.checkpoint->checkpoint;
    for (const std::string& broken : start.checkpoint->broken)
      start.notes.push_back(fmt::format("{}; going on from the one before", broken));
    refuse_other_scenario(directory, checkpoint, resolved);
    note_other_kernels(checkpoint, start.notes);
    start.notes.push_back(fmt::format("{}: going on after round {}", path, checkpoint.state.version));
    return start;
  }
  if (directory.holds_run() && !force)
    throw RunError(fmt::format("{}: holds a run already; go on with it (--resume), overwrite it (--force) or name "
                               "another directory (--out)",
                               path));
  return start;
}

FederationState prepare_directory(const RunDirectory& directory, const Federation& federation, StartingPoint& start) {
  directory.create();
  if (!start.checkpoint) {
    directory.clear();
    return federation.first_state();
  }
  Checkpoint& checkpoint = start.checkpoint->checkpoint;
  attach_layout(checkpoint, federation.training.layout, start.checkpoint->path);
  directory.cut_back(checkpoint.state.version);
  return std::move(checkpoint.state);
}

}  // namespace anybit
