#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/table.h"

namespace anybit {

/// When the devices of one class can take part. Pure functions of (client, time), so any thread may ask; times are
/// seconds since the run's beginning, 0 or more.
class Availability {
 public:
  virtual ~Availability() = default;

  /// Whether the client's device can take part now.
  virtual bool available(std::uint32_t client, double time) const = 0;
  /// The earliest time from `time` on at which available() holds; infinity: never again.
  virtual double next(std::uint32_t client, double time) const = 0;
  /// The first time after `time` at which available() is not what it is then; infinity: never.
  virtual double until(std::uint32_t client, double time) const = 0;
  /// The longest that it holds at a stretch, in seconds; infinity: there is no end; 0: it never does.
  virtual double longest(std::uint32_t client) const = 0;
};

/// Begins the name of each trace among the checksums of a run's data.
inline constexpr std::string_view kTracePrefix = "trace/";

/// A file that availabilities were read from.
struct TraceFile {
  std::string name;      // as the scenario names it
  std::string path;      // where it was found
  std::string checksum;  // "trace/name crc32 size"
};

/// What a maker needs besides its own options.
struct AvailabilitySource {
  std::uint64_t seed = 1;
  std::uint32_t clients = 0;
  /// Whether a client is of the class that this is for. Asked while it is made, not later.
  std::function<bool(std::uint32_t)> is_member = {};
  std::filesystem::path beside = {};          // the folder of the file that names it: files are looked for there
  std::vector<std::string> directories = {};  // then here
  std::vector<TraceFile>* files = nullptr;    // what was read is added; null: options are checked, and nothing is read
};

using AvailabilityTable = Table<std::shared_ptr<const Availability>, const AvailabilitySource&>;
/// Makers throw ScenarioError for options, ScenarioErrors for what is wrong in a file.
const AvailabilityTable& availabilities();

AvailabilityTable::Row always_row();
AvailabilityTable::Row diurnal_row();
AvailabilityTable::Row trace_row();

}  // namespace anybit
