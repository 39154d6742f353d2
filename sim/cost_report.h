#pragma once

#include <string>

#include "sim/federation.h"

namespace anybit {

/// What a federation would run and what it costs, for the screen: parameters, FLOPs, how the examples spread over
/// clients, bytes and FLOPs a round, memory, state. Bytes are measured on frames of the first parameters.
std::string cost_report(const Federation& federation, int threads);

}  // namespace anybit
