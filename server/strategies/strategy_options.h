#pragma once

#include <string_view>

#include "scenarios/options.h"

namespace anybit {

// Options that several strategies have. ScenarioError where a value is out of range.

/// A finite number above 0.
double above_zero(const Options& options, std::string_view key);
/// A number that is 0 or more and below 1: a share that is kept from round to round.
double below_one(const Options& options, std::string_view key);

}  // namespace anybit
