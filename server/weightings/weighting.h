#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "scenarios/table.h"

namespace anybit {

/// How much a client's update counts beside the others of its version.
class Weighting {
 public:
  virtual ~Weighting() = default;
  /// Above 0 and finite. `widths`: that the client's device can run, in bits, 32 for float; empty: not known.
  virtual double weight(std::uint32_t examples, std::span<const int> widths) const = 0;
};

using WeightingTable = Table<std::unique_ptr<const Weighting>>;
/// examples, equal, width, inverse_error.
const WeightingTable& weightings();

WeightingTable::Row examples_weighting_row();
WeightingTable::Row equal_weighting_row();
WeightingTable::Row width_weighting_row();
WeightingTable::Row inverse_error_weighting_row();

}  // namespace anybit
