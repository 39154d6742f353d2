#pragma once

#include <string>

#include "server/federation.h"

namespace anybit {

/// The frames of one client's round.
struct FrameBytes {
  double task = 0;
  double update = 0;  // of a client that trained every tensor
  double acknowledge = 0;
};

/// Measured on frames of the first parameters.
FrameBytes frame_bytes(const Federation& federation);

/// What a federation would run and what it costs, for the screen: parameters, FLOPs, how the examples spread over
/// clients, bytes and FLOPs a round, what tasks take on the fleet, memory, state. Bytes are measured on frames of the
/// first parameters.
std::string cost_report(const Federation& federation, int threads);

}  // namespace anybit
