#include "server/strategies/fedavg.h"
#include "server/strategies/strategy.h"

namespace anybit {

void add_plain_changes(const Layout& layout, std::span<const float> change, std::span<float> global) {
  for (const TensorSpec& tensor : layout.tensors()) {
    const bool merged = tensor.merge == Merge::kMean || tensor.merge == Merge::kLogMean || tensor.merge == Merge::kMax;
    if (!merged || follows_strategy(tensor)) continue;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) global[i] += change[i];
  }
}

const StrategyTable& strategies() {
  static const StrategyTable table("strategy", {fedavg_strategy_row()});
  return table;
}

}  // namespace anybit
