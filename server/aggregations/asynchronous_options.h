#pragma once

#include <cstdint>
#include <vector>

#include "server/aggregations/aggregation.h"

namespace anybit {

/// The options that all asynchronous rows share, with this discount where none is named; and what they say.
std::vector<OptionRow> asynchronous_options(const char* discount);
/// Without what is the row's own.
Asynchrony read_asynchrony(const Options& options);

}  // namespace anybit
