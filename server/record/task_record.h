#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace anybit {

/// What became of a task.
enum class TaskOutcome : std::uint8_t {
  kCounted,
  kTooLate,    // its update came when nobody waited for it any more
  kRefused,    // its update was no good
  kLost,       // its client dropped out or went away
  kReleased,   // nobody waits for it any more, and its client was told so
  kAbandoned,  // its update was good, but the round was not
};
std::string_view to_string(TaskOutcome outcome);

/// One task of a simulated fleet, from its beginning to its end, in virtual seconds.
struct TaskRecord {
  std::uint32_t round = 0;  // 1-based, in progress when it ended
  std::uint32_t client = 0;
  int device_class = -1;  // index into the fleet's classes; -1: none
  double sent = 0;
  double began = 0;  // when its client came by for it; `ended` where it never did
  double ended = 0;
  TaskOutcome outcome = TaskOutcome::kCounted;
  std::uint32_t version = 0;    // that it started from
  std::uint32_t staleness = 0;  // versions that this was behind when it ended
  double down_seconds = 0;
  double compute_seconds = 0;
  double up_seconds = 0;
  double flops = 0;
  double bytes_down = 0;
  double bytes_up = 0;
  double joules = 0;
};

/// The first line of tasks.csv, and the line of a task; both without their end. docs/metrics.md has the meaning.
std::string tasks_header();
std::string tasks_line(const TaskRecord& task, const std::vector<std::string>& classes);
/// Reads a line of tasks.csv as far as a resumed run needs it: round, client, class and outcome. False where it is
/// none.
bool read_tasks_line(std::string_view line, const std::vector<std::string>& classes, TaskRecord& task);

}  // namespace anybit
