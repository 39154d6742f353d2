#pragma once

#include <memory>
#include <optional>
#include <span>

#include "nn/parameters.h"
#include "scenarios/table.h"

namespace anybit {

/// One optimiser step on a parameter buffer. Holds settings only; its state is buffers of the parameters' size that the
/// caller owns (zeroed at the start of a client's round).
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  /// How many buffers of the layout's size it keeps.
  virtual int state_buffers() const = 0;
  /// values -= what the gradients ask for. `progress` in [0, 1] is global (DESIGN D5); `step` counts from 0 in this
  /// client's round. `gradients` may be changed (clipping, decay). `state` holds state_buffers() buffers in a row.
  virtual void step(const Layout& layout, std::span<float> values, std::span<float> gradients, std::span<float> state,
                    double progress, int step) const = 0;
  /// The step where it is no more than PlainStep has it, so that descend() may take it; it then gives the same bits.
  virtual std::optional<PlainStep> plain_step(double progress) const = 0;
};

using OptimizerTable = Table<std::unique_ptr<Optimizer>>;
/// sgd, adam.
const OptimizerTable& optimizers();

}  // namespace anybit
