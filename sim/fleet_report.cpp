#include "sim/fleet_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <vector>

#include "server/aggregations/aggregation.h"
#include "sim/task_cost.h"
#include "sim/task_limits.h"

namespace anybit {
namespace {

/// About as long as a task takes on the slowest class, and longer where its client does not come at once.
std::string round_line(const std::vector<ClassTask>& tasks, const RoundPolicy& policy) {
  const ClassTask* slowest = nullptr;
  for (const ClassTask& task : tasks)
    if (task.device.share > 0 && task.device.drop_out < 1 &&
        (slowest == nullptr || task.times.total() > slowest->times.total()))
      slowest = &task;
  const double seconds = slowest->times.total();
  const double paced = policy.pace * seconds;
  const std::string& name = slowest->device.name;
  if (policy.deadline > 0 && policy.deadline < seconds)
    return fmt::format("{:<22}{:.4g} s, its deadline; a task of class '{}' takes {:.4g} s\n", "time of a round",
                       policy.deadline, name, seconds);
  if (paced == 0)
    return fmt::format("{:<22}about {:.4g} s, as long as a task in the middle of class '{}', the slowest\n",
                       "time of a round", seconds, name);
  const bool is_cut = policy.deadline > 0 && policy.deadline < seconds + paced;
  return fmt::format(
      "{:<22}about {:.4g} to {:.4g} s{}: a task in the middle of class '{}', the slowest, and up to {:.4g} s until its "
      "client comes by (federation.pace)\n",
      "time of a round", seconds, is_cut ? policy.deadline : seconds + paced, is_cut ? ", its deadline" : "", name,
      paced);
}

/// What those at work do in the mean: who drops out does so half-way, and who misses the deadline is replaced then.
std::string version_line(const std::vector<ClassTask>& tasks, const Scenario::Federation& settings,
                         std::uint32_t concurrency) {
  const double deadline =
      settings.policy.deadline > 0 ? settings.policy.deadline : std::numeric_limits<double>::infinity();
  double slowest = 0;
  for (const ClassTask& task : tasks)
    if (task.device.share > 0 && task.times.total() <= deadline) slowest = std::max(slowest, task.times.total());
  const double wait = settings.policy.pace * slowest / 2;  // until a client comes by
  double seconds = 0, answered = 0;
  for (const auto& [device, times, joules] : tasks) {
    if (device.share == 0) continue;
    const double whole = wait + times.total();
    seconds += device.share * (std::min(whole, deadline) * (1 - device.drop_out) +
                               std::min(wait + times.total() / 2, deadline) * device.drop_out);
    if (whole <= deadline) answered += device.share * (1 - device.drop_out);
  }
  if (answered == 0)
    return fmt::format("{:<22}not known: the device in the middle of no class answers in time\n", "time of a version");
  seconds /= answered;
  return fmt::format("{:<22}about {:.4g} s: {} updates, of {} clients at work who take {:.4g} s for each\n",
                     "time of a version", seconds * settings.cohort / concurrency, settings.cohort, concurrency,
                     seconds);
}

}  // namespace

std::string fleet_report(const Federation& federation, double examples, const FrameBytes& frame) {
  if (!federation.fleet.takes_time()) return "";
  const TaskWork work{TaskCosts(federation).flops_an_example() * examples, frame.task, frame.update};
  const std::vector<ClassTask> tasks = class_tasks(federation.fleet, work);
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
  const std::optional<Asynchrony> asynchrony = aggregations().make(settings.aggregation);
  text += asynchrony ? version_line(tasks, settings, asynchrony->concurrency) : round_line(tasks, settings.policy);
  for (const std::string& line : silent_classes(federation)) text += "  " + line + "\n";
  return text;
}

}  // namespace anybit
