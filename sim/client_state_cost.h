#pragma once

#include "server/federation.h"

namespace anybit {

/// That one client keeps between its rounds, in bytes.
double client_bytes(const Federation& federation);

/// What all clients that one process plays keep, in bytes, at most: of those that can have counted in the end the state
/// that they count with, and of those at work what they made of theirs. A client that fails adds one until its round is
/// over.
struct ClientStateCost {
  double states = 0;
  double each = 0;
  double memory = 0;  // as many as limits.client_memory lets stay there
  double disk = 0;    // the rest
  double index = 0;   // beside the states, in memory

  double total() const { return memory + disk; }
};
ClientStateCost client_state_cost(const Federation& federation);

/// For who plays all clients: ScenarioError where they come to more than limits.client_state.
void refuse_large_client_states(const Federation& federation);

}  // namespace anybit
