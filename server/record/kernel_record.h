#pragma once

#include <string>

namespace anybit {

// The kernel sets (nn/kernel_set.h) that a run was made with, as its checkpoints and its provenance say them: "A", or
// "A then B" where it was resumed under another set.

/// The record of a run that goes on with the set `now`.
std::string record_followed_by(const std::string& record, const std::string& now);

/// "" where a run with this record can be made again, bit for bit, with the set `here`; else why not.
std::string replay_refusal(const std::string& record, const std::string& here);

}  // namespace anybit
