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

/// Tensors that follow the strategy: learnt ones that are merged by a mean.
inline bool follows_strategy(const TensorSpec& tensor) {
  return tensor.role != Role::kStatistic && is_merged_by_mean(tensor);
}

/// Running statistics of activations, BatchNorm's: their mean over clients is the next value.
inline bool is_mean_of_statistic(const TensorSpec& tensor) {
  return tensor.role == Role::kStatistic && is_merged_by_mean(tensor);
}

/// Whether a tensor follows the strategy and somebody trained it: its change is not zero throughout. A strategy that
/// keeps state leaves the others alone, with their state: a tensor that nobody trained keeps its value.
bool moves(const TensorSpec& tensor, std::span<const float> change);

/// Adds the change of the merged tensors that do not follow the strategy (statistics, maxima) as it is. Sums are for
/// the method's server part and are never written back. Every apply() ends with it.
void add_plain_changes(const Layout& layout, std::span<const float> change, std::span<float> global);

using StrategyTable = Table<std::unique_ptr<Strategy>>;
/// fedavg, fedavgm, fedadagrad, fedadam, fedyogi.
const StrategyTable& strategies();

}  // namespace anybit
