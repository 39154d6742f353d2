#pragma once

#include <memory>
#include <span>

#include "nn/parameters.h"
#include "scenarios/table.h"

namespace anybit {

/// How the merged change becomes new global parameters. Settings only: its state is buffers of the layout's size that
/// the coordinator owns and checkpoints.
class Strategy {
 public:
  virtual ~Strategy() = default;
  virtual int state_buffers() const = 0;
  /// `change` is the weighted mean delta; zero for tensors that nobody trained. Only learnt tensors (weights, biases,
  /// norms, quantizer state) follow the strategy; statistics take the plain mean.
  virtual void apply(const Layout& layout, std::span<const float> change, std::span<float> state,
                     std::span<float> global) const = 0;
};

using StrategyTable = Table<std::unique_ptr<Strategy>>;
/// fedavg.
const StrategyTable& strategies();

}  // namespace anybit
