#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "server/coordinator.h"

namespace anybit {

/// One event as it stands in events.log, a line of text:
///   TIME KIND CLIENT ROUND NOTE
/// TIME in seconds, in the shortest form that reads back to the same bits; KIND one of started, joined, update, lost,
/// time, concluded, unreplaced (lost, and nobody comes in its place); ROUND the round in progress, for an update that
/// of its task; NOTE the CRC32C of the update's frame as 8 hex digits, the reason of a loss, of one who joined the
/// widths that its device can run, e.g. "8,4", where they are not those of the scenario's fleet, of a beginning in
/// virtual time "virtual", else "-".
///
/// "concluded" is no event but what the one before it led to: ROUND is over. Who goes on from a checkpoint finds by it
/// what belongs to the rounds before.
struct LoggedEvent {
  enum class Kind : std::uint8_t { kStarted, kJoined, kUpdate, kLost, kTime, kConcluded, kUnreplaced };
  double time = 0;
  Kind kind = Kind::kStarted;
  std::uint32_t client = 0;
  std::uint32_t round = 0;
  std::uint32_t crc = 0;                   // updates only
  std::string reason;                      // losses only, replaced or not
  std::vector<std::uint32_t> widths = {};  // joins only
  bool virtual_time = false;               // beginnings only
  bool operator==(const LoggedEvent&) const = default;
};

/// The log's form of an event. `round` is the coordinator's; `update_crc` counts for updates only.
LoggedEvent describe(const Event& event, double time, std::uint32_t round, std::uint32_t update_crc);
/// The line that follows the event which concluded a round.
LoggedEvent describe(const RoundReport& report, double time);

std::string to_line(const LoggedEvent& event);
/// Reads a line, without its end. Returns "" or what is wrong with it.
std::string parse_event(std::string_view line, LoggedEvent& event);

/// An event log that cannot be written or read; what() names path, line and what to do.
class EventLogError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Appends events to a file through a buffer: what a crash takes with it, a resume would cut off, too. Every failure
/// is an EventLogError; a full disk is noticed at the latest by sync().
class EventLog {
 public:
  /// Goes on at the file's end; makes it where it is not there.
  explicit EventLog(std::string path);
  void append(const LoggedEvent& event);
  /// Hands the buffer to the operating system.
  void flush();
  /// flush(), then waits until all lines are on the disk. A checkpoint that counts on them comes after it.
  void sync();

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// Reads a whole log. A line that does not parse, or a last one that is cut off, is an EventLogError "path:line: ...".
std::vector<LoggedEvent> read_event_log(const std::string& path);

}  // namespace anybit
