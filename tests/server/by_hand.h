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

inline std::vector<Action> deliver(Coordinator& coordinator, const UpdateMessage& update, double time = 0.0) {
  return handle(coordinator, UpdateArrived{update.id.client, &update}, time);
}

}  // namespace anybit
