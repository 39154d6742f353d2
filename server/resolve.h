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

/// Looks every part up in its table, fills in the defaults, lets each maker check its values, and checks what goes
/// together. Throws ScenarioErrors with every mistake found; what depends on a wrong value is not judged. The data is
/// loaded only where there are mistakes, to tell its own beside them: those of data alone are left to
/// make_federation().
ResolvedScenario resolve_scenario(Scenario scenario, const std::vector<std::string>& data_directories);

/// The same for a file with "key.path=value" settings; with the mistakes that reading it finds, too.
ResolvedScenario resolve_file(const std::string& path, const std::vector<std::string>& settings,
                              const std::vector<std::string>& data_directories);

}  // namespace anybit
