#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "client/versions.h"
#include "server/client_state_reader.h"
#include "server/coordinator.h"
#include "sim/state_slots.h"

namespace anybit {

/// What a client keeps, as VersionedState has it, with the values in slots. Of one thread at a time.
class KeptState : public Versions<StateSlot> {
 public:
  explicit KeptState(StateSlots& slots) : slots_(&slots) {}

  /// Fills `values` with the current version.
  void copy_current(std::span<float> values) const { current().values.read(values); }
  /// What the update to the task of `round` made of the current version; in place of an earlier proposal.
  void propose(std::uint32_t round, std::span<const float> values);

 private:
  StateSlots* slots_;
};

/// Where the states of clients lie.
struct ClientStateRoom {
  std::uint64_t memory = std::numeric_limits<std::uint64_t>::max();  // bytes that stay there
  std::string folder = {};  // of the file that takes the rest; empty: the system's for temporary files
};

/// What the clients that this process plays keep between their rounds: of each that has counted one state, and while a
/// round is in progress what its clients made of theirs. Empty where the method keeps nothing. So there are at most as
/// many states as clients that counted and clients of one round. StateSlotError where the disk fails.
class ClientStates final : public ClientStateReader {
 public:
  /// So many floats each; 0: nothing is kept.
  explicit ClientStates(std::size_t floats, ClientStateRoom room = {});

  /// As after the round that the state is of; `saved` says what its clients kept then, null where none has counted.
  /// std::invalid_argument where it does not fit.
  void restore(const FederationState& state, const ClientStateReader* saved);

  std::size_t floats() const override { return floats_; }
  /// Of a client that is about to be played; by one thread at a time.
  void prepare(std::uint32_t client);
  /// Of one that is prepared; others may be asked for meanwhile.
  KeptState& of(std::uint32_t client) { return states_.at(client); }

  /// A round is over: what did not count in it is forgotten, be it that it was played ahead and never handed over. Who
  /// is still at work stays as it is.
  void settle(const FederationState& state);
  /// Of the clients in the `counted` of the last round that was over, and of the round before until the next client is
  /// prepared; not while clients play.
  void read(const CountedClient& client, std::span<float> values) const override;

  /// Where they lie; null where nothing is kept.
  const StateSlots* slots() const { return slots_ ? &*slots_ : nullptr; }
  /// What one client takes beside its values.
  static constexpr std::size_t kIndexBytes = sizeof(std::pair<const std::uint32_t, KeptState>) + 48;  // of a tree

 private:
  std::size_t floats_;
  std::optional<StateSlots> slots_;  // outlives the states
  std::map<std::uint32_t, KeptState> states_;
  std::vector<std::uint32_t> played_;   // since the last round was over
  std::vector<std::uint32_t> settled_;  // in the last round; what was current before is still there
};

}  // namespace anybit
