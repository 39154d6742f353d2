#pragma once

#include <string>
#include <vector>

#include "server/evaluator.h"

namespace anybit {

/// Accuracies in percent as text: a row for each range rule, granularity and activation width, a column for each weight
/// width. Float weights have no range rule: their value stands in every row of its activation width, or, where those
/// are quantized, in those of the method's own quantizers or in all others. Widths of the first and the last layer have
/// columns, and rows of their own, where a point sets one.
std::string accuracy_table(const std::vector<Accuracy>& accuracies);

/// Both lists in order, each point once: a point of the second list that the first has too is left out.
std::vector<Accuracy> merge_accuracies(std::vector<Accuracy> first, const std::vector<Accuracy>& second);

}  // namespace anybit
