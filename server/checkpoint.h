#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/coordinator.h"

namespace anybit {

/// A saved federation (DESIGN D11): needs nothing beside it but the data.
struct Checkpoint {
  std::string scenario;        // whole resolved TOML, for `evaluate`
  std::string result_bearing;  // its result-bearing part
  std::string kernel_set;
  FederationState state;       // the layout is rebuilt from the scenario and checked by digest
  std::uint64_t layout = 0;
  std::uint64_t metrics_bytes = 0;  // length of metrics.jsonl when this was written
  std::uint64_t events_bytes = 0;   // of events.log
};

/// What is wrong with a checkpoint file, or why it could not be written; what() names the path and what to do.
class CheckpointError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Temporary file, checksum, flush to disk, rename, flush of the folder.
void write_checkpoint(const std::string& path, const Checkpoint& checkpoint);
/// state.global has no layout yet: call attach_layout.
Checkpoint read_checkpoint(const std::string& path);
/// Checks digest and sizes against the network the caller made from checkpoint.scenario.
void attach_layout(Checkpoint& checkpoint, std::shared_ptr<const Layout> layout, const std::string& path);

}  // namespace anybit
