#include <algorithm>

#include "data/partitions/partition.h"
#include "nn/random.h"

namespace anybit {
namespace {

Assignment deal_evenly(const Holdings& holdings) {
  Assignment made;
  made.indices.assign(holdings.available.begin(), holdings.available.end());
  Stream stream({.seed = holdings.seed, .purpose = Purpose::kPartition});
  stream.shuffle(std::span(made.indices));

  const std::uint64_t each = made.indices.size() / holdings.clients, rest = made.indices.size() % holdings.clients;
  made.starts.reserve(holdings.clients + std::size_t{1});
  for (std::uint64_t client = 0; client <= holdings.clients; ++client)
    made.starts.push_back(client * each + std::min(client, rest));
  return made;
}

}  // namespace

PartitionTable::Row iid_row() {
  return {{"iid", "shuffled and dealt out evenly; sizes differ by at most one", "", {}},
          [](const Options&) -> Deal { return deal_evenly; }};
}

}  // namespace anybit
