#pragma once

#include <memory>
#include <span>

#include "nn/parameters.h"
#include "scenarios/table.h"

namespace anybit {

/// What a client minimises beside the loss of its examples.
class Objective {
 public:
  virtual ~Objective() = default;
  /// Adds the term's gradient at `values`, given what the round started from; returns the term.
  virtual double add(const Layout& layout, std::span<const float> values, std::span<const float> received,
                     std::span<float> gradients) const = 0;
};

using ObjectiveTable = Table<std::unique_ptr<Objective>>;
/// plain (nothing, a null pointer), fedprox.
const ObjectiveTable& objectives();

}  // namespace anybit
