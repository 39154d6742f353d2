#pragma once

#include <string>
#include <vector>

#include "data/fleet.h"
#include "server/record/run_directory.h"

namespace anybit {

// A run keeps the traces of its fleet beside its scenario.toml, so that it can be replayed where they are not.

/// Where who goes on with the run looks for its data: in the copies last, for the traces that are nowhere else.
std::vector<std::string> with_trace_copies(std::vector<std::string> data_directories, const RunDirectory& directory);

/// Copies what the fleet was read from into the run's folder. RunError where that cannot be done.
void write_trace_copies(const RunDirectory& directory, const Fleet& fleet);

/// Removes the copies of the run that was there before, but where the fleet was read from them.
void clear_trace_copies(const RunDirectory& directory, const Fleet& fleet);

}  // namespace anybit
