#pragma once

#include <string>

namespace anybit {

/// "0.1.0".
std::string program_version();

/// What the program was built from, as `git describe --always --dirty` says it; the commit's short name where the
/// sources were exported by `git archive`; "unknown" where neither is there.
std::string program_commit();

}  // namespace anybit
