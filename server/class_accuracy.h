#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/evaluator.h"
#include "server/federation.h"

namespace anybit {

/// How good a model is for the devices of one class of the fleet, at one of the widths that they run.
struct ClassAccuracy {
  std::string name;
  double share = 0;
  std::uint32_t clients = 0;  // that were looked at
  int weights = 32;
  int activations = 32;
  std::optional<double> own;     // fraction of the examples that they hold; nothing where no client was found
  std::optional<double> unseen;  // of examples like theirs that nobody trained on
};

/// Clients of each class: at most `most` each, in order of their numbers, among the first 100 * `most`.
std::vector<std::vector<std::uint32_t>> clients_by_class(const Fleet& fleet, std::uint32_t clients, std::uint32_t most);

/// What the classes are tested at, as evaluate_classes() says: at each width float activations, and behind them those
/// of the same width.
std::vector<GridPoint> class_points(const Federation& federation, const EvaluationGrid& grid);

/// Each class of the federation's fleet at each of its widths, on the examples of evaluate.class_clients clients; empty
/// where that is 0 or there is no fleet. Activations stay float; where the grid has widths of them below 32, each
/// width is tested with activations of the same width, too. Points have the grid's first range rule and
/// granularity, and min-max where the rule is `learned` or `trained` and training left nothing for the width.
/// Means are over examples. Unseen examples are FederatedData::unseen(); where there are none, the test examples: the
/// accuracy on each label counts by the label's share of the clients' examples (labels without any are left out).
/// The evaluator is one of the federation's data. Nothing where `stop` said so.
std::optional<std::vector<ClassAccuracy>> evaluate_classes(Evaluator& evaluator, const Parameters& parameters,
                                                           const Federation& federation, const EvaluationGrid& grid,
                                                           const Evaluator::StopSignal& stop = {});

/// The widths of all classes, each once, in order of the classes.
std::vector<int> class_widths(const Fleet& fleet);

}  // namespace anybit
