#pragma once

#include <string>
#include <vector>

namespace anybit {

// What the data of a run was, as its checkpoints say it: a line for each checksum (data/federated_data.h), and for each
// trace of the fleet (data/fleet.h).

std::string data_record(const std::vector<std::string>& checksums);

/// "" where the data is the recorded one; else what changed, by name, e.g. "train-labels-idx1-ubyte (crc32 0a1b2c3d of
/// 108 bytes, now crc32 0a1b2c3e of 108 bytes)".
std::string data_difference(const std::string& record, const std::string& now);

/// The record without traces, for who needs the examples only.
std::string record_of_examples(const std::string& record);

}  // namespace anybit
