#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/client_state_reader.h"
#include "server/coordinator.h"

namespace anybit {

/// A saved federation (DESIGN D11): needs nothing beside it but the data.
struct Checkpoint {
  std::string scenario;  // the resolved scenario's result-bearing keys: result_bearing_text() in scenarios/scenario.h
  std::string kernel_set;
  std::string data;       // what the data was: a line for each checksum of FederatedData
  FederationState state;  // the layout is rebuilt from the scenario and checked by digest
  std::uint64_t layout = 0;
  /// What the clients in state.counted keep, where one process plays them all (the simulator); else null. Of a
  /// checkpoint that was read it stays in the file.
  std::shared_ptr<const ClientStateReader> client_states = {};
};

/// What is wrong with a checkpoint file, or why it could not be written; what() names the path and what to do.
class CheckpointError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Writes the file (format: checkpoint.cpp) so that at any moment either the old or the new one is there, whole:
/// temporary file in the same folder, flush to disk, rename, flush of the folder. On failure the old one is untouched
/// and the temporary is removed.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);
/// The same with these states in place of the checkpoint's own. Those of clients are read one by one.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint, const FederationState& state,
                      const ClientStateReader* client_states = nullptr);
/// Reads and checks the whole file; the states of clients, which can be many, pass by. state.global has no layout yet:
/// call attach_layout.
Checkpoint read_checkpoint(const std::string& path);
/// Checks digest and sizes against the network the caller made from checkpoint.scenario.
void attach_layout(Checkpoint& checkpoint, std::shared_ptr<const Layout> layout, const std::string& path);

// The checkpoints of a run stand in one folder: checkpoint-000010.ckpt is that of version 10.

std::string checkpoint_path(const std::string& folder, std::uint32_t version);

struct LatestCheckpoint {
  std::string path;
  Checkpoint checkpoint;
  std::vector<std::string> broken;  // what is wrong with newer files that were passed over; tell the user
};
/// The newest one that can be read; none where the folder holds no checkpoint or does not exist. Throws where there are
/// some and none can be read.
std::optional<LatestCheckpoint> latest_checkpoint(const std::string& folder);
/// After checkpoint `saved` is on the disk: removes all but the newest `keep` (at least one) up to it, those of later
/// versions (broken ones that a resume passed over), and temporaries that a killed process left behind.
void prune_checkpoints(const std::string& folder, std::uint32_t saved, int keep);

}  // namespace anybit
