#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/checkpoint.h"
#include "server/federation.h"
#include "server/record/run_directory.h"

namespace anybit {

/// Who computes a run's updates, and has the states that a training method keeps of its clients (DESIGN D8).
enum class WhoTrains : std::uint8_t {
  kThisProcess,  // the simulator, which plays the clients: their states are in its checkpoints
  kClients,      // of a server, whose own kernels make no difference
};

/// Where a run begins.
struct StartingPoint {
  std::optional<LatestCheckpoint> checkpoint;  // none: at version 0, in an empty directory
  bool finished = false;                       // nothing is left to do
  std::vector<std::string> notes;              // what the user should be told
  WhoTrains who = WhoTrains::kThisProcess;
  std::string kernels;  // all that the run is made with (kernel_record.h); of a server: as far as its clients are known
  std::unique_ptr<RunLock> lock;  // keep it as long as the run goes on
};

/// Locks the run directory where a run is in it and looks into it; changes nothing. RunError where another process runs
/// there, where the folder is of other things, where it holds a run and neither `resume` nor `force` is asked for, or
/// where the run there has other result-bearing keys; CheckpointError where its checkpoints are broken. A damaged model
/// is written again from them.
StartingPoint find_starting_point(const RunDirectory& directory, const Scenario& resolved, WhoTrains who, bool resume,
                                  bool force);

/// Makes the directory ready to go on from the starting point (locks it, clears it or cuts its files back) and returns
/// the state to go on from. RunError, and all as before, where the data is not that of the checkpoint, or the states of
/// the clients are somewhere else; CheckpointError where the checkpoint's state cannot be one of the scenario.
FederationState prepare_directory(const RunDirectory& directory, const Federation& federation, StartingPoint& start);

}  // namespace anybit
