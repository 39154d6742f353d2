#include "sim/deadline.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "sim/cost_report.h"
#include "sim/task_cost.h"

namespace anybit {
namespace {

constexpr std::uint32_t kMostAsked = 10'000;

/// Seconds of a task, and whose: the fastest first.
using Tasks = std::vector<std::pair<double, std::uint32_t>>;

/// With the least update that there can be, and the fastest links that can be hoped for.
Tasks fastest_first(const Federation& federation, std::uint32_t clients) {
  const TaskCosts costs(federation);
  const double bytes_down = frame_bytes(federation).task;
  Tasks tasks;
  for (std::uint32_t client = 0; client < clients; ++client)
    tasks.emplace_back(costs.lucky_times(client, bytes_down, costs.least_update()).total(), client);
  std::ranges::sort(tasks);
  return tasks;
}

/// To be typed as the new deadline, so never less.
std::string seconds_text(double seconds) { return fmt::format("{} s", std::ceil(seconds * 1000) / 1000); }

/// What speaks for the deadline all the same.
std::string with_luck(const Federation& federation) {
  const auto& classes = federation.fleet.classes();
  const bool spread = std::ranges::any_of(classes, [](const FleetClass& one) { return one.link_spread > 0; });
  return spread ? ", even with links as fast as one task in a thousand finds them" : "";
}

/// "20", "the first 10000".
std::string looked_at(const Federation& federation, const Tasks& tasks) {
  return (tasks.size() == federation.data->clients ? "" : "the first ") + std::to_string(tasks.size());
}

std::string nobody(const Federation& federation, const Tasks& tasks) {
  const auto& [seconds, client] = tasks.front();
  const bool all = tasks.size() == federation.data->clients;
  return fmt::format(
      "{} can meet it{}: the fastest device, client {}'s of class '{}', takes {} for a task; allow more, or give the "
      "devices less to do (a smaller model, fewer examples or training.epochs) or more speed",
      all ? "nobody" : "none of " + looked_at(federation, tasks) + " clients", with_luck(federation), client,
      federation.fleet.device_class(client)->name, seconds_text(seconds));
}

std::string too_few(const Federation& federation, const Tasks& tasks, std::size_t able, std::size_t needed) {
  return fmt::format(
      "only {} of {} clients can meet it{}, too few for federation.minimum, {}: with {} there are enough; allow that, "
      "or ask for fewer",
      able, looked_at(federation, tasks), with_luck(federation), federation.scenario.federation.policy.minimum,
      seconds_text(tasks[needed - 1].first));
}

}  // namespace

void check_deadline(const Federation& federation) {
  const Scenario::Federation& settings = federation.scenario.federation;
  const double deadline = settings.policy.deadline;
  if (deadline == 0 || !federation.fleet.takes_time()) return;
  const std::uint64_t clients = federation.data->clients;
  const Tasks tasks = fastest_first(federation, std::min(federation.data->clients, kMostAsked));
  const auto able = static_cast<std::size_t>(
      std::ranges::count_if(tasks, [deadline](const auto& task) { return task.first <= deadline; }));
  const std::size_t needed = (settings.policy.minimum * tasks.size() + clients - 1) / clients;
  if (able >= needed) return;
  throw key_mistake(settings.deadline_where, "federation.deadline",
                    able == 0 ? nobody(federation, tasks) : too_few(federation, tasks, able, needed));
}

}  // namespace anybit
