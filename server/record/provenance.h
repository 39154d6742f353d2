#pragma once

#include <string>

#include "server/federation.h"
#include "server/record/run_directory.h"

namespace anybit {

/// What a result came from, as JSON, a member a line: scenario digest, data checksums, kernel set (`kernels`: all sets
/// of the run, "A then B"), and the processes that worked on it, a line each: after which round it began, version and
/// commit of the program, compiler, kernels. `earlier` is the text that the run's last process left, "" for a new run:
/// what its processes said of themselves stays.
std::string provenance_json(const Federation& federation, const std::string& kernels, std::uint32_t begun_after,
                            const std::string& earlier);

/// Writes what a process that begins to work on a run leaves at once: scenario.toml, resolved, copies of
/// the fleet's traces, and provenance.json, with the processes before it.
void write_origin(const RunDirectory& directory, const Federation& federation, const std::string& kernels,
                  std::uint32_t begun_after);

}  // namespace anybit
