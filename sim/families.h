#pragma once

#include <string>
#include <vector>

#include "scenarios/table.h"

namespace anybit {

/// The tables of the house by name: models, datasets, partitions, methods, quantizers, objectives, optimizers,
/// strategies, codecs, availabilities.
std::vector<std::string> family_names();
/// Throws std::out_of_range for a family that is none.
std::vector<RowInfo> family_rows(const std::string& family);

}  // namespace anybit
