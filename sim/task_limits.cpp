#include "sim/task_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

#include "server/aggregations/aggregation.h"
#include "sim/cost_report.h"
#include "sim/deadline.h"
#include "sim/task_cost.h"

namespace anybit {
namespace {

constexpr std::uint32_t kMostJudged = 10'000;
constexpr const char* kLess = "less to do (a smaller model, fewer examples or training.epochs)";

std::uint32_t looked_at(const Federation& federation) { return std::min(federation.data->clients, kMostJudged); }

/// What the longest phase of the task is, and the key that makes it so.
struct Phase {
  double seconds;
  const char* key;
  double speed;
};

Phase longest_phase(const TaskTimes& times, const FleetClass& device) {
  return std::ranges::max(
      std::array<Phase, 3>{
          {{times.compute, "compute", device.compute}, {times.down, "down", device.down}, {times.up, "up", device.up}}},
      {}, &Phase::seconds);
}

void refuse_long_tasks(const Federation& federation) {
  double examples = 0;
  const std::uint32_t clients = looked_at(federation);
  for (std::uint32_t client = 0; client < clients; ++client) examples += federation.data->examples(client);
  examples /= clients;
  Mistakes mistakes;
  const FrameBytes frame = frame_bytes(federation);
  const TaskWork work{TaskCosts(federation).flops_an_example() * examples, frame.task, frame.update};
  for (const auto& [device, times, joules] : class_tasks(federation.fleet, work)) {
    if (device.share == 0 || times.total() <= kLongestTask) continue;
    const Phase phase = longest_phase(times, device);
    mistakes.add(key_mistake(
        device.where, fmt::format("fleet.class.{}", phase.key),
        fmt::format("a task in the middle of class '{}' takes {:.4g} s, {:.4g} of them by {} = {:.4g}, and a year, "
                    "{:.0f} s, is the most; give the class more speed, or {}",
                    device.name, times.total(), phase.seconds, phase.key, phase.speed, kLongestTask, kLess)));
  }
  mistakes.throw_if_any();
}

/// What the clients of a class that are looked at can do.
struct ClassStays {
  const FleetClass& device;
  std::size_t clients = 0;
  std::size_t long_enough = 0;  // of them, who are there as long as a task takes
  double stay = 0;              // of the one of the others that comes nearest, in seconds,
  double task = 0;              // and what its task takes
};

std::vector<ClassStays> class_stays(const Federation& federation) {
  const Fleet& fleet = federation.fleet;
  const TaskCosts costs(federation);
  const double bytes_down = frame_bytes(federation).task;
  std::vector<ClassStays> all;
  for (const FleetClass& device : fleet.classes()) all.push_back({device});
  for (std::uint32_t client = 0; client < looked_at(federation); ++client) {
    ClassStays& its = all[static_cast<std::size_t>(fleet.class_of(client))];
    const double task = costs.lucky_times(client, bytes_down, costs.least_update()).total();
    const double stay = fleet.longest_available(client);
    ++its.clients;
    if (stay >= task)
      ++its.long_enough;
    else if (its.task == 0 || stay * its.task > its.stay * task)
      std::tie(its.stay, its.task) = std::tuple(stay, task);
  }
  return all;
}

std::string stay_text(const ClassStays& its) {
  return fmt::format("is there for {:.6g} s at a stretch at most, and its task takes {:.6g} s", its.stay, its.task);
}

/// As many of the clients looked at as a version needs of all.
std::size_t needed(const Federation& federation) {
  const Scenario::Federation& settings = federation.scenario.federation;
  const std::uint64_t of_all = aggregations().make(settings.aggregation) ? static_cast<std::uint64_t>(settings.cohort)
                                                                         : std::uint64_t{settings.policy.minimum};
  const std::uint64_t clients = federation.data->clients;
  return (of_all * looked_at(federation) + clients - 1) / clients;
}

/// "none of 20 clients", "only 3 of the first 10000 clients".
std::string too_few(const Federation& federation, std::size_t able) {
  const std::uint32_t looked = looked_at(federation);
  return fmt::format("{} of {}{} clients", able == 0 ? "none" : fmt::format("only {}", able),
                     looked == federation.data->clients ? "" : "the first ", looked);
}

void refuse_drop_outs(const Federation& federation, const std::vector<ClassStays>& classes) {
  std::size_t able = 0;
  const FleetClass* never = nullptr;
  for (const ClassStays& its : classes) {
    if (its.device.drop_out < 1)
      able += its.clients;
    else if (never == nullptr)
      never = &its.device;
  }
  if (never == nullptr || able >= needed(federation)) return;
  throw key_mistake(never->where, "fleet.class.drop_out",
                    fmt::format("{} ever answer a task, and a version takes {} of them: the others, as those of class "
                                "'{}', drop out of all with drop_out = 1; set it below 1",
                                too_few(federation, able), needed(federation), never->name));
}

void refuse_short_stays(const Federation& federation, const std::vector<ClassStays>& classes) {
  std::size_t able = 0;
  const ClassStays* nearest = nullptr;
  for (const ClassStays& its : classes) {
    if (its.device.drop_out < 1) able += its.long_enough;
    if (its.long_enough == its.clients) continue;
    if (nearest == nullptr || its.stay * nearest->task > nearest->stay * its.task) nearest = &its;
  }
  if (nearest == nullptr || able >= needed(federation)) return;
  const FleetClass& device = nearest->device;
  throw key_mistake(
      device.availability.where, "fleet.class.availability",
      fmt::format("{} are there as long as a task takes, and a version takes {} of them: the device of "
                  "class '{}' that comes nearest {}; let it be there for longer, or give it {} or more "
                  "speed",
                  too_few(federation, able), needed(federation), device.name, stay_text(*nearest), kLess));
}

}  // namespace

void check_task_limits(const Federation& federation) {
  if (!federation.fleet.takes_time()) return;
  refuse_long_tasks(federation);
  const std::vector<ClassStays> classes = class_stays(federation);
  refuse_drop_outs(federation, classes);
  refuse_short_stays(federation, classes);
  check_deadline(federation);
}

std::vector<std::string> short_stays(const Federation& federation) {
  std::vector<std::string> lines;
  for (const ClassStays& its : class_stays(federation))
    if (its.clients > 0 && its.long_enough == 0)
      lines.push_back(
          fmt::format("class '{}' never answers: the device that comes nearest {}; let it be there for longer, or give "
                      "it {} or more speed",
                      its.device.name, stay_text(its), kLess));
  return lines;
}

}  // namespace anybit
