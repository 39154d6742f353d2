#pragma once

#include <cstddef>

#include "data/examples.h"
#include "scenarios/table.h"

namespace anybit {

/// What every set that comes from files offers: `limit`, how many of its training examples are used. Not named as the
/// drawn sets' `examples`, which counts each writer's: a change of the set then drops the option and says so.
OptionRow limit_option();
/// The checked value; 0 means all.
std::size_t read_limit(const Options& options);
/// Drops what lies beyond the first `limit` examples; 0 keeps all.
void keep_first(ExamplePool& pool, std::size_t limit);

}  // namespace anybit
