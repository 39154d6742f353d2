#pragma once

#include <cstdint>
#include <span>

#include "client/versions.h"
#include "nn/buffer.h"

namespace anybit {

/// What a client keeps between its rounds (quant/method.h), in up to three versions. A server that finds its newest
/// checkpoint damaged goes back one, and counts on the previous version again; further back it does not go on with this
/// client.
///
/// Each version is a float buffer of what the method keeps, as large as the model or larger, and stays in memory: a
/// client's are three (task_limits.cpp counts them). An empty one is zeros. Who plays many clients keeps them elsewhere
/// (sim/client_states.h).
class VersionedState : public Versions<FloatBuffer> {
 public:
  using Versions::Versions;

  /// Fills `values` with the current version.
  void copy_current(std::span<float> values) const;
  /// What the update to the task of `round` made of the current version; in place of an earlier proposal.
  void propose(std::uint32_t round, std::span<const float> values);
};

}  // namespace anybit
