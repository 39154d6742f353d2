#pragma once

#include <string>

namespace anybit {

// The kernel sets (nn/kernel_set.h) that a run was made with, as its checkpoints and its provenance say them: "A", or
// "A then B" where it was resumed under another set.

/// The record of a run that goes on with the set `now`.
std::string record_followed_by(const std::string& record, const std::string& now);

/// The record of a run for which somebody else works with the set `other`, a name that came from there: as it is where
/// the name is in it, or the record has enough names to be a mixed run whatever comes. A name that is none is
/// "unknown".
std::string record_with(const std::string& record, const std::string& other);

/// "" where a run with this record can be made again, bit for bit, with the set `here`; else why not.
std::string replay_refusal(const std::string& record, const std::string& here);

}  // namespace anybit
