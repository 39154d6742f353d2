#pragma once

#include <string>

#include "sim/federation.h"

namespace anybit {

/// What a result came from, as JSON, a member a line: version, compiler, kernel set (`kernels`: all sets of the run,
/// "A then B"), data checksums, scenario digest.
std::string provenance_json(const Federation& federation, const std::string& kernels);

}  // namespace anybit
