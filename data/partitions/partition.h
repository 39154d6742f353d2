#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "scenarios/table.h"

namespace anybit {

/// The examples that are dealt out, and to how many.
struct Holdings {
  std::span<const std::uint8_t> labels;      // of the whole pool
  std::span<const std::uint32_t> available;  // indices into the pool, without those that the server holds
  int classes = 0;
  std::uint32_t clients = 0;
  std::uint64_t seed = 0;
};

/// Who holds what: client k has indices[starts[k]] to indices[starts[k + 1] - 1]. Every available index stands once.
struct Assignment {
  std::vector<std::uint32_t> indices;
  std::vector<std::uint64_t> starts;  // clients + 1

  std::uint64_t size(std::uint32_t client) const { return starts[client + 1] - starts[client]; }
  std::span<const std::uint32_t> of(std::uint32_t client) const {
    return std::span(indices).subspan(starts[client], size(client));
  }
};

/// Deals examples out: a pure function of the holdings, with named draws. Throws ScenarioError where they do not
/// suffice. Empty for the partition in which each client is a writer of the set and nothing is dealt out.
using Deal = std::function<Assignment(const Holdings&)>;

using PartitionTable = Table<Deal>;
const PartitionTable& partitions();

PartitionTable::Row iid_row();
PartitionTable::Row dirichlet_row();
PartitionTable::Row quantity_row();
PartitionTable::Row writer_row();

}  // namespace anybit
