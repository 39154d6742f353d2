#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "scenarios/table.h"

namespace anybit {

/// What an update's weight is multiplied by that starts from a version so many older than the current one: s(0) = 1,
/// never rising, at least kLeastDiscount: a mean is divided by a sum of them, of which enough must be left in the exact
/// sum's resolution (exact_sum.h).
inline constexpr double kLeastDiscount = 0x1p-20;
using StalenessDiscount = std::function<double(std::uint32_t staleness)>;

/// constant: 1. polynomial: (1 + t)^-exponent. hinge: 1 up to t = patience, then 1 / (slope (t - patience) + 1). All of
/// Xie et al., Asynchronous federated optimization, 2019.
StalenessDiscount constant_discount();
StalenessDiscount polynomial_discount(double exponent);
StalenessDiscount hinge_discount(double slope, std::uint32_t patience);

/// Asynchronous federation: so many clients train at any time, each from the version that was current when it was
/// asked, and as many updates as the cohort has members make a version.
struct Asynchrony {
  std::uint32_t concurrency = 1;
  std::uint32_t max_staleness = 0;  // in versions; who falls behind further is released
  StalenessDiscount discount;
  bool weighted = false;   // by plan.weighting, beside the discount; else all alike
  bool normalise = false;  // a mean over the discounts' sum, not over the number of updates
  /// FedAsync: the model moves towards the clients' parameters by this share times the discount. None: FedBuff, along
  /// their changes.
  std::optional<double> mixing = {};
};

/// When updates are joined into a version: nothing where in synchronous rounds.
using AggregationTable = Table<std::optional<Asynchrony>>;
/// synchronous, fedbuff, fedasync.
const AggregationTable& aggregations();

AggregationTable::Row synchronous_row();
AggregationTable::Row fedbuff_row();
AggregationTable::Row fedasync_row();

}  // namespace anybit
