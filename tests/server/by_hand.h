#pragma once

#include <vector>

#include "server/coordinator.h"

namespace anybit {

// A coordinator driven by hand: one event, and the actions that follow.

template <class Kind>
std::vector<Kind> all_of(const std::vector<Action>& actions) {
  std::vector<Kind> found;
  for (const Action& action : actions)
    if (const auto* kind = std::get_if<Kind>(&action)) found.push_back(*kind);
  return found;
}

inline std::vector<Action> handle(Coordinator& coordinator, const Event& event, double time = 0.0) {
  std::vector<Action> actions;
  coordinator.handle(event, time, actions);
  return actions;
}

/// CRC32C of the downlink of the round in progress, where the downlink is float32 of all tensors.
inline std::uint32_t digest_of(const FederationState& state) {
  const std::span<const float> values = state.global.values;
  return crc32c({reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes()});
}

/// The update as if it was trained from this round's parameters.
inline std::vector<Action> deliver(Coordinator& coordinator, UpdateMessage update, double time = 0.0) {
  update.digest = digest_of(coordinator.state());
  return handle(coordinator, UpdateArrived{update.id.client, &update}, time);
}

}  // namespace anybit
