#include "server/record/task_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace anybit {
namespace {

constexpr std::array<std::string_view, 6> kOutcomes = {"counted", "late", "refused", "lost", "released", "abandoned"};

/// Takes the text up to the next comma.
std::string_view take_cell(std::string_view& line) {
  const std::size_t end = std::min(line.find(','), line.size());
  const std::string_view cell = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return cell;
}

bool parse_cell(std::string_view cell, std::uint32_t& number) {
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), number);
  return error == std::errc{} && end == cell.data() + cell.size();
}

/// A name as a cell: quoted where a comma or a quote is in it (RFC 4180).
std::string cell_of(const std::string& name) {
  if (name.find_first_of(",\"\n") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char letter : name) quoted += letter == '"' ? std::string("\"\"") : std::string(1, letter);
  return quoted + '"';
}

}  // namespace

std::string_view to_string(TaskOutcome outcome) { return kOutcomes[static_cast<std::size_t>(outcome)]; }

std::string tasks_header() {
  return "round,client,class,sent,began,ended,outcome,version,staleness,down_seconds,compute_seconds,up_seconds,flops,"
         "bytes_down,bytes_up,energy";
}

std::string tasks_line(const TaskRecord& task, const std::vector<std::string>& classes) {
  const std::string name =
      task.device_class < 0 ? "" : cell_of(classes.at(static_cast<std::size_t>(task.device_class)));
  return fmt::format("{},{},{},{:.9g},{:.9g},{:.9g},{},{},{},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g},{:.6g}",
                     task.round, task.client, name, task.sent, task.began, task.ended, to_string(task.outcome),
                     task.version, task.staleness, task.down_seconds, task.compute_seconds, task.up_seconds, task.flops,
                     task.bytes_down, task.bytes_up, task.joules);
}

bool read_tasks_line(std::string_view line, const std::vector<std::string>& classes, TaskRecord& task) {
  if (!parse_cell(take_cell(line), task.round) || !parse_cell(take_cell(line), task.client)) return false;
  task.device_class = -1;
  for (std::size_t i = 0; i < classes.size(); ++i) {
    const std::string cell = cell_of(classes[i]) + ',';
    if (line.starts_with(cell)) task.device_class = static_cast<int>(i);
  }
  if (task.device_class >= 0)
    line.remove_prefix(cell_of(classes[static_cast<std::size_t>(task.device_class)]).size() + 1);
  else if (!take_cell(line).empty())
    return false;
  take_cell(line);  // sent
  take_cell(line);  // began
  take_cell(line);  // ended
  const auto found = std::ranges::find(kOutcomes, take_cell(line));
  if (found == kOutcomes.end()) return false;
  task.outcome = static_cast<TaskOutcome>(found - kOutcomes.begin());
  return true;
}

}  // namespace anybit
