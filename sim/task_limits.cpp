#include "sim/task_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

#include "server/aggregations/aggregation.h"
#include "sim/cost_report.h"
#include "sim/task_cost.h"

namespace anybit {
namespace {

constexpr std::uint32_t kMostJudged = 10'000;
constexpr const char* kLess = "less to do (a smaller model, fewer examples or training.epochs)";
constexpr const char* kStayLonger = "let it be there for longer, or give it ";

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

/// What keeps a client from ever answering; of several the first, since whoever has that is not helped by the others.
enum class Obstacle : std::uint8_t { kNone, kDropOut, kShortStay, kDeadline };

struct JudgedClient {
  std::uint32_t client;
  const FleetClass& device;
  double task;  // seconds that it takes at the least: with the least update, and the fastest links to be hoped for
  double stay;  // seconds that the device is there at a stretch at the most
  Obstacle obstacle;
};

Obstacle obstacle_of(const FleetClass& device, double task, double stay, double deadline) {
  if (device.drop_out == 1) return Obstacle::kDropOut;
  if (stay < task) return Obstacle::kShortStay;
  return deadline > 0 && task > deadline ? Obstacle::kDeadline : Obstacle::kNone;
}

std::vector<JudgedClient> judge_clients(const Federation& federation) {
  const Fleet& fleet = federation.fleet;
  const TaskCosts costs(federation);
  const double bytes_down = frame_bytes(federation).task;
  const double deadline = federation.scenario.federation.policy.deadline;
  std::vector<JudgedClient> judged;
  for (std::uint32_t client = 0; client < looked_at(federation); ++client) {
    const FleetClass& device = *fleet.device_class(client);
    const double task = costs.lucky_times(client, bytes_down, costs.least_update()).total();
    const double stay = fleet.longest_available(client);
    judged.push_back({client, device, task, stay, obstacle_of(device, task, stay, deadline)});
  }
  return judged;
}

using Hindered = std::vector<const JudgedClient*>;

/// Those who have one obstacle; who comes nearest is first.
Hindered hindered_by(Obstacle obstacle, const std::vector<JudgedClient>& judged) {
  Hindered found;
  for (const JudgedClient& one : judged)
    if (one.obstacle == obstacle) found.push_back(&one);
  if (obstacle == Obstacle::kShortStay)
    std::ranges::stable_sort(found, std::greater(), [](const JudgedClient* one) { return one->stay / one->task; });
  if (obstacle == Obstacle::kDeadline) std::ranges::stable_sort(found, {}, &JudgedClient::task);
  return found;
}

/// How many of the clients that are looked at ever answer, and must.
struct Answering {
  std::size_t able;
  std::size_t needed;  // as a version takes of all clients
  std::string sentence;
};

/// "only 3 of the first 10000 clients ever answer a task, and a version takes 4 of them (federation.minimum = 8)".
Answering answering(const Federation& federation, std::size_t able) {
  const Scenario::Federation& settings = federation.scenario.federation;
  const bool in_rounds = !aggregations().make(settings.aggregation);
  const std::uint64_t updates = in_rounds ? settings.policy.minimum : static_cast<std::uint64_t>(settings.cohort);
  const std::uint64_t looked = looked_at(federation);
  const std::uint64_t clients = federation.data->clients;
  const std::uint64_t needed = (updates * looked + clients - 1) / clients;
  return {able, needed,
          fmt::format("{} of {}{} clients ever answer a task, and a version takes {} of them (federation.{} = {})",
                      able == 0 ? "none" : fmt::format("only {}", able), looked == clients ? "" : "the first ", looked,
                      needed, in_rounds ? "minimum" : "cohort", updates)};
}

[[noreturn]] void refuse_drop_outs(const JudgedClient& first, const std::string& begins) {
  throw key_mistake(first.device.where, "fleet.class.drop_out",
                    fmt::format("{}, as those of class '{}', drop out of all with drop_out = 1; set it below 1", begins,
                                first.device.name));
}

std::string stay_text(const JudgedClient& nearest) {
  return fmt::format("is there for {:.6g} s at a stretch at most, and its task takes {:.6g} s", nearest.stay,
                     nearest.task);
}

[[noreturn]] void refuse_short_stays(const JudgedClient& nearest, const std::string& begins) {
  throw key_mistake(
      nearest.device.availability.where, "fleet.class.availability",
      fmt::format("{} are never there as long as a task takes: the device of class '{}' that comes nearest {}; {}{} or "
                  "more speed",
                  begins, nearest.device.name, stay_text(nearest), kStayLonger, kLess));
}

/// To be typed as the new deadline, so never less.
std::string seconds_text(double seconds) { return fmt::format("{} s", std::ceil(seconds * 1000) / 1000); }

/// `missing`: so many of these would do.
[[noreturn]] void refuse_deadline(const Federation& federation, const Hindered& late, std::size_t missing,
                                  const std::string& begins) {
  const bool spread =
      std::ranges::any_of(federation.fleet.classes(), [](const FleetClass& one) { return one.link_spread > 0; });
  const JudgedClient& fastest = *late.front();
  const bool are_enough = missing > 1 && missing <= late.size();
  throw key_mistake(
      federation.scenario.federation.deadline_where, "federation.deadline",
      fmt::format(
          "{} cannot meet it{}: the fastest device of them, client {}'s of class '{}', takes {} for a task{}; "
          "allow more, or give the devices {} or more speed",
          begins, spread ? ", even with links as fast as one task in a thousand finds them" : "", fastest.client,
          fastest.device.name, seconds_text(fastest.task),
          are_enough ? fmt::format(", and with {} there are enough", seconds_text(late[missing - 1]->task)) : "",
          kLess));
}

/// Where too few clients ever answer, names the obstacle that most of the others have.
void refuse_too_few(const Federation& federation) {
  const std::vector<JudgedClient> judged = judge_clients(federation);
  const auto [able, needed, sentence] = answering(federation, hindered_by(Obstacle::kNone, judged).size());
  if (able >= needed) return;
  Obstacle commonest = Obstacle::kNone;
  Hindered hindered;
  for (const Obstacle obstacle : {Obstacle::kDropOut, Obstacle::kShortStay, Obstacle::kDeadline})
    if (Hindered by_it = hindered_by(obstacle, judged); by_it.size() > hindered.size()) {
      commonest = obstacle;
      hindered = std::move(by_it);
    }
  const bool are_all = hindered.size() == judged.size() - able;
  const std::string begins = sentence + ": " + (are_all ? "" : std::to_string(hindered.size()) + " of ") + "the others";
  if (commonest == Obstacle::kDropOut) refuse_drop_outs(*hindered.front(), begins);
  if (commonest == Obstacle::kShortStay) refuse_short_stays(*hindered.front(), begins);
  refuse_deadline(federation, hindered, needed - able, begins);
}

}  // namespace

void check_task_limits(const Federation& federation) {
  if (!federation.fleet.takes_time()) return;
  refuse_long_tasks(federation);
  refuse_too_few(federation);
}

std::vector<std::string> silent_classes(const Federation& federation) {
  const std::vector<JudgedClient> judged = judge_clients(federation);
  const Hindered nearest_first = hindered_by(Obstacle::kShortStay, judged);
  std::vector<std::string> lines;
  for (const FleetClass& device : federation.fleet.classes()) {
    if (device.share > 0 && device.drop_out == 1)
      lines.push_back(
          fmt::format("class '{}' never answers: its devices drop out of every task (drop_out = 1)", device.name));
    const auto class_of = [](const auto* one) { return &one->device; };
    const auto nearest = std::ranges::find(nearest_first, &device, class_of);
    const std::ptrdiff_t clients =
        std::ranges::count_if(judged, [&](const auto& one) { return &one.device == &device; });
    if (nearest == nearest_first.end() || std::ranges::count(nearest_first, &device, class_of) != clients) continue;
    lines.push_back(fmt::format("class '{}' never answers: the device that comes nearest {}; {}{} or more speed",
                                device.name, stay_text(**nearest), kStayLonger, kLess));
  }
  return lines;
}

}  // namespace anybit
