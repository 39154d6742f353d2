#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "nn/buffer.h"

namespace anybit {

/// What a client keeps between its rounds (quant/method.h), in up to three versions (DESIGN D8): the one that the
/// server counts on; the one that its last update made, of which nobody knows yet whether it counts; and the one that
/// the server counted on before. A server that finds its newest checkpoint damaged goes back one, and counts on that
/// again; further back it does not go on with this client.
///
/// Each version is a float buffer of what the method keeps, as large as the model or larger, and stays in memory: a
/// client's are three (task_limits.cpp counts them). Who plays many clients and never goes back forgets the previous
/// one.
///
/// A version is named by the round that made it: 1 + TaskId::round; 0 is the beginning, zeros, which everybody has.
/// Within one history of checkpoints no name is used again, as no task's is. A server that goes back makes tasks of the
/// same names from other parameters, but no two versions of a name are mixed up: only an update of the new task makes
/// its name count. That task first settled the state to its `counted`, which is older and forgot the old version of the
/// name, and then its proposal took the name.
class VersionedState {
 public:
  struct Version {
    std::uint32_t name = 0;
    FloatBuffer values;  // empty: zeros
    bool operator==(const Version&) const = default;
  };

  VersionedState() = default;
  /// As it was saved.
  VersionedState(Version current, std::optional<Version> pending, Version previous);

  /// Whether one of its versions is this one.
  bool has(std::uint32_t name) const;
  /// The words for one that is not.
  std::string lacks(std::uint32_t name) const;
  /// A task counts on this version: it is current from now on. Pending that becomes current leaves the current one as
  /// the previous one; where the current one stays, so does the previous one; whatever else there is is forgotten.
  /// Returns "", or why it cannot be, and all is as before.
  std::string settle(std::uint32_t name);
  void forget_previous() { previous_ = {}; }
  /// Zeros in place of a version that is lost; whatever else there is is forgotten.
  void start_afresh(std::uint32_t name);

  /// Fills `values` with the current version.
  void copy_current(std::span<float> values) const;
  /// What the update to the task of `round` made of the current version; in place of an earlier proposal.
  void propose(std::uint32_t round, std::span<const float> values);

  const Version& current() const { return current_; }
  const std::optional<Version>& pending() const { return pending_; }
  /// The beginning where there is none.
  const Version& previous() const { return previous_; }

 private:
  Version current_;
  std::optional<Version> pending_;
  Version previous_;
};

}  // namespace anybit
