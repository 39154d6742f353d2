#pragma once

#include <string>
#include <vector>

namespace anybit {

/// The keys, as dotted paths, whose values differ between two result-bearing texts (scenarios/scenario.h), with both
/// values: "training.epochs (1, now 2)". Empty: the texts ask for the same results.
std::vector<std::string> scenario_difference(const std::string& before, const std::string& now);

}  // namespace anybit
