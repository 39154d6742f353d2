#pragma once

#include <string>

#include "sim/cost_report.h"

namespace anybit {

/// Lines of cost_report() about a fleet whose devices take time: what a task of each class takes on a device in the
/// middle, of a client with so many examples, how long a synchronous round or an asynchronous version takes, and
/// whose devices are never there for as long as a task takes them; "" for other fleets.
std::string fleet_report(const Federation& federation, double examples, const FrameBytes& frame);

}  // namespace anybit
