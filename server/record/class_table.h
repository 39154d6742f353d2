#pragma once

#include <string>
#include <vector>

#include "server/class_accuracy.h"

namespace anybit {

/// Accuracies by class of the fleet in percent as text: a title, and a row for each class, width and activation width.
/// What could not be measured is "-".
std::string class_table(const std::vector<ClassAccuracy>& classes);

}  // namespace anybit
