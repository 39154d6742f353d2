#include <algorithm>

#include "server/strategies/adaptive.h"
#include "server/strategies/fedavg.h"
#include "server/strategies/fedavgm.h"
#include "server/strategies/strategy.h"

namespace anybit {

bool moves(const TensorSpec& tensor, std::span<const float> change) {
  const std::span<const float> values = change.subspan(tensor.offset, tensor.size);
  return follows_strategy(tensor) && std::ranges::any_of(values, [](float value) { return value != 0.0F; });
}

void add_plain_changes(const Layout& layout, std::span<const float> change, std::span<float> global) {
  for (const TensorSpec& tensor : layout.tensors()) {
    const bool merged = is_merged_by_mean(tensor) || tensor.merge == Merge::kMax;
    if (!merged || follows_strategy(tensor)) continue;
    for (std::size_t i = tensor.offset; i < tensor.offset + tensor.size; ++i) global[i] += change[i];
  }
}

const StrategyTable& strategies() {
  static const StrategyTable table(
      "strategy", {fedavg_strategy_row(), fedavgm_strategy_row(), fedadagrad_strategy_row(), fedadam_strategy_row(),
                   fedyogi_strategy_row()});
  return table;
}

}  // namespace anybit
