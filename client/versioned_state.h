#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "nn/buffer.h"

namespace anybit {

/// What a client keeps between its rounds (quant/method.h), in up to two versions (DESIGN D8): the one that the server
/// counts on, and the one that its last update made, of which nobody knows yet whether it counts.
///
/// A version is named by the round that made it: 1 + TaskId::round; 0 is the beginning, zeros, which everybody has. No
/// name is used again, as no task's is.
class VersionedState {
 public:
  struct Version {
    std::uint32_t name = 0;
    FloatBuffer values;  // empty: zeros
    bool operator==(const Version&) const = default;
  };

  VersionedState() = default;
  /// As it was saved.
  VersionedState(Version current, std::optional<Version> pending);

  /// Whether one of its versions is this one.
  bool has(std::uint32_t name) const;
  /// The words for one that is not.
  std::string lacks(std::uint32_t name) const;
  /// A task counts on this version: it is current from now on, and the other one is forgotten. Returns "", or why it
  /// cannot be, and all is as before.
  std::string settle(std::uint32_t name);
  /// Zeros in place of a version that is lost.
  void start_afresh(std::uint32_t name);

  /// Fills `values` with the current version.
  void copy_current(std::span<float> values) const;
  /// What the update to the task of `round` made of the current version; in place of an earlier proposal.
  void propose(std::uint32_t round, std::span<const float> values);

  const Version& current() const { return current_; }
  const std::optional<Version>& pending() const { return pending_; }

 private:
  Version current_;
  std::optional<Version> pending_;
};

}  // namespace anybit
