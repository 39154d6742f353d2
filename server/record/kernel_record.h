#pragma once

#include <string>

namespace anybit {

// The kernel sets (nn/kernel_set.h) that a run's updates were made with, as its checkpoints and its provenance say
// them: "A", or "A then B" where it was resumed under another set or clients had different ones; "" where none is known
// yet.

/// The record of a run in which somebody works with the set `other`, which may be a name that a peer made up: as it is
/// where the name is in it, or the record has enough names to be a mixed run whatever comes. A name that is none is
/// "unknown".
std::string record_with(const std::string& record, const std::string& other);

/// "" where a run with this record can be made again, bit for bit, with the set `here`; else why not.
std::string replay_refusal(const std::string& record, const std::string& here);

}  // namespace anybit
