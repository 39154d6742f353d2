#pragma once

#include <string>
#include <vector>

#include "scenarios/scenario.h"

namespace anybit {

/// A scenario whose parts are all known and have every option written out.
struct ResolvedScenario {
  Scenario scenario;
  /// What the user should be told, one line each: options that were dropped because `--set` named another row.
  std::vector<std::string> notes;
};

/// Looks every part up in its table, fills in the defaults and lets each maker check its values. Throws ScenarioErrors
/// with every mistake found.
ResolvedScenario resolve_scenario(Scenario scenario);

/// read_scenario() and resolve_scenario(), with the mistakes of both where the file can be read at all.
ResolvedScenario resolve_file(const std::string& path, const std::vector<std::string>& settings);

}  // namespace anybit
