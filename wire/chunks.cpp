#include "wire/chunks.h"

#include <algorithm>
#include <cstdint>

namespace anybit {
namespace {

// What a chunk costs by itself, in FLOPs' time: threads are handed over, kernels run short of rows; and for each
// parameter of the network, weights are read and quantized, a gradient is written and added to the others.
constexpr double kCostOfChunk = 10e6;
constexpr double kCostOfParameter = 190;
constexpr double kPasses = 3;  // forward, gradient of the inputs, gradient of the weights

/// One thread that works on all chunks may lose 2 / chunks of its time: two chunks serve every machine that has a
/// second thread, eight only those with many.
bool is_worth(std::uint32_t chunks, double work, double cost) { return chunks * cost <= work * 2 / chunks; }

}  // namespace

bool can_be_cut(const Network& network, const Layout& layout) {
  const auto is_statistic = [](const TensorSpec& tensor) { return tensor.role == Role::kStatistic; };
  return !network.uses_batch_statistics() && std::ranges::none_of(layout.tensors(), is_statistic);
}

std::uint32_t chunks_of_batch(const Network& network, const Layout& layout, int batch) {
  if (!can_be_cut(network, layout)) return 1;
  const double cost = kCostOfChunk + kCostOfParameter * static_cast<double>(layout.size());
  const double work = kPasses * network.forward_flops() * batch;
  const std::uint32_t most = std::min(kMostChunks, static_cast<std::uint32_t>(batch));
  std::uint32_t chunks = 1;
  while (2 * chunks <= most && is_worth(2 * chunks, work, cost)) chunks *= 2;
  return chunks;
}

std::optional<std::size_t> client_to_cut(std::span<const std::uint32_t> examples) {
  std::uint64_t all = 0, most = 0, second = 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    all += examples[i];
    if (examples[i] > most) {
      second = most;
      most = examples[i];
      largest = i;
    } else {
      second = std::max<std::uint64_t>(second, examples[i]);
    }
  }
  if (2 * most <= all || most < 2 * second) return std::nullopt;
  return largest;
}

}  // namespace anybit
