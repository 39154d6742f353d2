#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "scenarios/scenario.h"

namespace anybit {

/// Which class of devices a client belongs to: a named draw against the shares, so that it is a pure function of
/// (seed, client) and costs no memory for any number of clients. Without a fleet every client is of no class.
class Fleet {
 public:
  Fleet() = default;
  Fleet(std::vector<FleetClass> classes, std::uint64_t seed) : classes_(std::move(classes)), seed_(seed) {}

  /// Index into classes(); -1 without a fleet.
  int class_of(std::uint32_t client) const;
  /// Widths that the client's device can run; empty without a fleet.
  std::span<const int> widths(std::uint32_t client) const;
  const std::vector<FleetClass>& classes() const { return classes_; }

 private:
  std::vector<FleetClass> classes_;
  std::uint64_t seed_ = 0;
};

}  // namespace anybit
