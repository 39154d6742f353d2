#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "client/versioned_state.h"
#include "server/checkpoint.h"

namespace anybit {

/// What the clients that this process plays keep between their rounds: of each that has counted one state, and while a
/// round is in progress what its clients made of theirs. Empty where the method keeps nothing.
class ClientStates {
 public:
  /// So many floats each; 0: nothing is kept.
  explicit ClientStates(std::size_t floats) : floats_(floats) {}

  /// As after the round that the state is of; `saved`: what views() had then. std::invalid_argument where it does not
  /// fit.
  void restore(const FederationState& state, std::span<const float> saved);

  std::size_t floats() const { return floats_; }
  /// Of a client that is about to be played; by one thread at a time.
  void prepare(std::uint32_t client);
  /// Of one that is prepared; others may be asked for meanwhile.
  VersionedState& of(std::uint32_t client) { return states_.at(client); }

  /// A round is over: what did not count in it is forgotten, be it that it was played ahead and never handed over. Who
  /// is still at work stays as it is.
  void settle(const FederationState& state);
  /// Of the clients in state.counted; good until the next round is over. `state` is of the last round that was.
  ClientStateViews views(const FederationState& state) const;

 private:
  std::size_t floats_;
  std::map<std::uint32_t, VersionedState> states_;
  std::vector<std::uint32_t> played_;  // since the last round was over
};

}  // namespace anybit
