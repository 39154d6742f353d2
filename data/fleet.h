#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/availability/availability.h"
#include "scenarios/scenario.h"

namespace anybit {

/// Whether a task takes virtual time on the devices of a class.
bool tasks_take_time(const FleetClass& one);

/// The devices of a federation. What a client's device is like, its class and how it differs from that, is named draws:
/// a pure function of (seed, client) that costs no memory for any number of clients. Without a fleet every client is of
/// no class, takes no time and is always there.
class Fleet {
 public:
  Fleet() = default;
  /// With devices that are always there, whatever their classes say: make_fleet() makes the others.
  Fleet(std::vector<FleetClass> classes, std::uint64_t seed) : classes_(std::move(classes)), seed_(seed) {}

  /// Index into classes(); -1 without a fleet.
  int class_of(std::uint32_t client) const;
  /// The client's class; null without a fleet.
  const FleetClass* device_class(std::uint32_t client) const;
  /// Widths that the client's device can run; empty without a fleet.
  std::span<const int> widths(std::uint32_t client) const;
  /// FLOP/s of the client's device; 0: computing takes no time.
  double compute(std::uint32_t client) const;

  /// Whether the client's device can take part at a time; the earliest time from then on at which it can (infinity:
  /// never); and the first time after it at which that is not as it is then (infinity: never).
  bool available(std::uint32_t client, double time) const;
  double next_available(std::uint32_t client, double time) const;
  double available_until(std::uint32_t client, double time) const;
  /// The longest that the device can take part at a stretch, in seconds; infinity: there is no end.
  double longest_available(std::uint32_t client) const;

  /// Whether virtual time matters: a class computes, sends or waits for some time, drops out or is away at times.
  bool takes_time() const;

  const std::vector<FleetClass>& classes() const { return classes_; }
  /// The files that availabilities were read from, each once.
  const std::vector<TraceFile>& traces() const { return traces_; }

 private:
  friend Fleet make_fleet(const Scenario& scenario, const std::vector<std::string>& directories);
  const Availability* availability(std::uint32_t client) const;

  std::vector<FleetClass> classes_;
  std::uint64_t seed_ = 0;
  std::vector<std::shared_ptr<const Availability>> availabilities_;  // of each class; empty: all are always there
  std::vector<TraceFile> traces_;
};

/// The scenario's fleet with all that says when devices are there. Files are looked for beside the scenario, then in
/// these folders. Throws ScenarioError or ScenarioErrors.
Fleet make_fleet(const Scenario& scenario, const std::vector<std::string>& directories);

}  // namespace anybit
