#pragma once

#include <cstdint>
#include <vector>

#include "scenarios/document.h"
#include "scenarios/scenario.h"

namespace anybit {

/// Whether a scenario may name other files. One that a peer or a checkpoint brought may not: they would be of this
/// machine.
enum class OtherFiles : std::uint8_t { kRead, kRefused };

/// Reads [fleet], which may be null: its own classes, or those of the file that `from` names, which is looked for
/// beside the scenario, then as it stands. Where only one of `from` and `class` is an override, that one holds. What is
/// wrong in a fleet file is told with its own path and line.
std::vector<FleetClass> read_fleet(const TomlNode* node, OtherFiles files, Mistakes& mistakes);

}  // namespace anybit
