#pragma once

#include <cstdint>
#include <vector>

#include "data/partitions/partition.h"

namespace anybit {

/// Splits each class over the clients by a Dirichlet(alpha, ..., alpha) draw of its own; then clients below the minimum
/// get examples of those that hold most.
Assignment deal_by_dirichlet(const Holdings& holdings, double alpha, std::uint64_t minimum);

/// The options `alpha` and `minimum` of every deal below.
std::vector<OptionRow> dirichlet_options();

/// Those options, read and checked once, and a deal that refuses a minimum that there are too few
/// examples for.
Deal make_dirichlet_deal(const Options& options, Assignment (*deal)(const Holdings&, double, std::uint64_t));

}  // namespace anybit
