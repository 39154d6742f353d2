#pragma once

#include "nn/description.h"
#include "scenarios/table.h"

namespace anybit {

using ModelTable = Table<Description, Shape, int>;
/// Networks by name: (options, input shape, classes) -> description.
const ModelTable& models();

}  // namespace anybit
