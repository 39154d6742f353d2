#include "sim/fleet_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "server/aggregations/aggregation.h"
#include "sim/task_cost.h"

namespace anybit {
namespace {

/// On the device in the middle of a class.
struct ClassTask {
  const FleetClass& device;
  TaskTimes times;
  double joules;
};

std::vector<ClassTask> class_tasks(const Federation& federation, double examples, const FrameBytes& frame) {
  const TaskWork work{TaskCosts(federation).flops_an_example() * examples, frame.task, frame.update};
  std::vector<ClassTask> tasks;
  for (const FleetClass& device : federation.fleet.classes()) {
    const TaskTimes times = task_times({device.compute, device.down, device.up}, device.latency, work);
    tasks.push_back({device, times, task_joules(device, work, times.total() - times.compute)});
  }
  return tasks;
}

/// Over when its slowest class is done, or at its deadline.
std::string round_line(const std::vector<ClassTask>& tasks, const RoundPolicy& policy) {
  const ClassTask* slowest = nullptr;
  for (const ClassTask& task : tasks)
    if (task.device.share > 0 && (slowest == nullptr || task.times.total() > slowest->times.total())) slowest = &task;
  const double seconds = slowest->times.total();
  const std::string& name = slowest->device.name;
  if (policy.deadline > 0 && policy.deadline < seconds)
    return fmt::format("{:<22}{:.4g} s, its deadline; a task of class '{}' takes {:.4g} s\n", "time of a round",
                       policy.deadline, name, seconds);
  return fmt::format("{:<22}about {:.4g} s, as long as a task in the middle of class '{}', the slowest\n",
                     "time of a round", seconds, name);
}

}  // namespace

std::string fleet_report(const Federation& federation, double examples, const FrameBytes& frame) {
  if (!federation.fleet.takes_time()) return "";
  const std::vector<ClassTask> tasks = class_tasks(federation, examples, frame);
  std::size_t longest = std::string("class").size();
  for (const ClassTask& task : tasks) longest = std::max(longest, task.device.name.size());
  const auto row = [&](const std::string& name, const auto&... cells) {
    return fmt::format("  {:<{}}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}{:>10}  {}\n", name, longest, cells...);
  };
  const auto number = [](double value) { return fmt::format("{:.4g}", value); };
  std::string text = fmt::format(
      "{:<22}a task of {:.4g} examples in the middle of each class: seconds (with both latencies) and joules\n",
      "fleet", examples);
  text += row("class", "share", "seconds", "down", "compute", "up", "joules", "drop-out", "availability");
  for (const auto& [device, times, joules] : tasks)
    text += row(device.name, number(device.share), number(times.total()), number(times.down), number(times.compute),
                number(times.up), number(joules), number(device.drop_out), device.availability.name);
  const Scenario::Federation& settings = federation.scenario.federation;
  if (!aggregations().make(settings.aggregation)) text += round_line(tasks, settings.policy);
  return text;
}

}  // namespace anybit
