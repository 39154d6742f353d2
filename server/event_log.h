#pragma once

#include <cstdint>
#include <fstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "server/coordinator.h"

namespace anybit {

/// One event as it stands in events.log, a line of text:
///   TIME KIND CLIENT ROUND NOTE
/// TIME in seconds, in the shortest form that reads back to the same bits; KIND one of started, joined, update, lost,
/// time; ROUND the version in progress, for an update that of its task; NOTE the CRC32C of the update's frame as 8 hex
/// digits, the reason of a loss, else "-".
struct LoggedEvent {
  enum class Kind : std::uint8_t { kStarted, kJoined, kUpdate, kLost, kTime };
  double time = 0;
  Kind kind = Kind::kStarted;
  std::uint32_t client = 0;
  std::uint32_t round = 0;
  std::uint32_t crc = 0;   // updates only
  std::string reason;      // losses only
  bool operator==(const LoggedEvent&) const = default;
};

/// The log's form of an event. `version` is the coordinator's; `update_crc` counts for updates only.
LoggedEvent describe(const Event& event, double time, std::uint32_t version, std::uint32_t update_crc);

std::string to_line(const LoggedEvent& event);

/// An event log that cannot be written or read; what() names path, line and what to do.
class EventLogError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Appends events to a file; each line reaches the operating system before append() returns.
class EventLog {
 public:
  /// Cuts the file back to its first `keep_bytes` bytes (a checkpoint's place; 0: anew) and goes on from there.
  EventLog(std::string path, std::uint64_t keep_bytes);
  void append(const LoggedEvent& event);
  /// Length of the file.
  std::uint64_t bytes() const { return bytes_; }

 private:
  std::string path_;
  std::ofstream file_;
  std::uint64_t bytes_ = 0;
};

/// Reads a whole log. A line that does not parse, or a last one that is cut off, is an EventLogError "path:line: ...".
std::vector<LoggedEvent> read_event_log(const std::string& path);

}  // namespace anybit
