#include "sim/cost_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "program/quantity_text.h"
#include "sim/client_state_cost.h"
#include "sim/fleet_report.h"
#include "sim/memory_cost.h"
#include "sim/task_cost.h"

namespace anybit {
namespace {

constexpr std::uint32_t kMostLookedAt = 1000;  // clients whose labels are counted; generated ones are drawn for it

/// How many clients have a value, by value: as small for a hundred million of them as for ten.
using Histogram = std::map<std::uint32_t, std::uint64_t>;

std::uint64_t count_of(const Histogram& histogram) {
  std::uint64_t count = 0;
  for (const auto& [value, clients] : histogram) count += clients;
  return count;
}

double mean(const Histogram& histogram) {
  double sum = 0;
  for (const auto& [value, clients] : histogram) sum += static_cast<double>(value) * static_cast<double>(clients);
  return sum / static_cast<double>(count_of(histogram));
}

std::uint32_t middle(const Histogram& histogram) {
  std::uint64_t before = count_of(histogram) / 2;
  for (const auto& [value, clients] : histogram) {
    if (before < clients) return value;
    before -= clients;
  }
  return 0;
}

Histogram examples_per_client(const FederatedData& data) {
  Histogram histogram;
  if (data.all_alike())
    histogram[data.examples(0)] = data.clients;
  else
    for (std::uint32_t client = 0; client < data.clients; ++client) ++histogram[data.examples(client)];
  return histogram;
}

Histogram classes_per_client(const FederatedData& data) {
  Histogram histogram;
  ExamplePool scratch;
  for (std::uint32_t client = 0; client < std::min(data.clients, kMostLookedAt); ++client) {
    std::array<bool, 256> seen{};
    const ExamplesView examples = data.client(client, scratch);
    for (const std::uint32_t index : examples.indices) seen[examples.labels[index]] = true;
    ++histogram[static_cast<std::uint32_t>(std::count(seen.begin(), seen.end(), true))];
  }
  return histogram;
}

std::string spread_line(const char* label, const Histogram& histogram, const std::string& of = {}) {
  return fmt::format("{:<22}{} / {} / {}  (least / middle / most{})\n", label, histogram.begin()->first,
                     middle(histogram), histogram.rbegin()->first, of);
}

std::string memory_line(const MemoryCost& cost, int threads) {
  return fmt::format(
      "{:<22}{} with {} thread{}: program {}, data {}, server {}, messages {}, training {}, evaluation {}, checkpoint "
      "{}{}\n",
      "memory", bytes_text(cost.total()), threads, threads == 1 ? "" : "s", bytes_text(cost.program),
      bytes_text(cost.data), bytes_text(cost.server), bytes_text(cost.messages), bytes_text(cost.training),
      bytes_text(cost.evaluation), bytes_text(cost.checkpoint),
      cost.clients > 0 ? ", clients " + bytes_text(cost.clients) : "");
}

std::string state_line(const Federation& federation) {
  const double strategy =
      4.0 * static_cast<double>(federation.training.layout->size()) * federation.strategy->state_buffers();
  const ClientStateCost kept = client_state_cost(federation);
  const std::string clients =
      kept.each == 0 ? "clients keep none between rounds"
                     : fmt::format("each client keeps {} between rounds, all at most {}: {} in memory, {} on the disk",
                                   bytes_text(kept.each), bytes_text(kept.total()), bytes_text(kept.memory),
                                   bytes_text(kept.disk));
  return fmt::format("{:<22}{} of the strategy; {}\n", "state", bytes_text(strategy), clients);
}

}  // namespace

FrameBytes frame_bytes(const Federation& federation) {
  const TrainingPlan& plan = federation.training;
  const FloatBuffer values = federation.first_state().global.values;
  Bytes parameters;
  plan.downlink->encode(*plan.layout, plan.broadcast, values, {.purpose = Purpose::kCodec}, parameters);
  UpdateMessage update;
  for (const int tensor : plan.uploaded) {
    const auto index = static_cast<std::uint32_t>(tensor);
    if (plan.layout->tensors()[index].role == Role::kQuantizer)
      update.shares.push_back({index, 1});
    else
      update.tensors.push_back(index);
  }
  Bytes delta;
  plan.uplink->encode(*plan.layout, plan.uploaded, values, {.purpose = Purpose::kCodec}, delta);
  update.delta = delta;
  return {static_cast<double>(encode_frame(TaskMessage{.parameters = parameters}).size()),
          static_cast<double>(encode_frame(update).size()), static_cast<double>(encode_frame(Acknowledge{}).size())};
}

std::string cost_report(const Federation& federation, int threads) {
  const Scenario& scenario = federation.scenario;
  const TrainingPlan& plan = federation.training;
  const FederatedData& data = *federation.data;
  const Histogram examples = examples_per_client(data);
  const FrameBytes frame = frame_bytes(federation);
  const double cohort = scenario.federation.cohort;
  const auto selected = static_cast<double>(selected_clients(static_cast<std::uint64_t>(scenario.federation.cohort),
                                                             scenario.federation.policy.over_selection));
  std::string text =
      fmt::format("{}: {} on {}, method {}, {} rounds of {} out of {} clients\n", scenario.name, scenario.model.name,
                  scenario.data.set.name, plan.method.name, plan.rounds, cohort, data.clients);
  text += fmt::format("{:<22}{} in {} tensors\n", "parameters", plan.layout->size(), plan.layout->tensors().size());
  text += fmt::format("{:<22}{:.3g} forward\n", "FLOPs an example", plan.network->forward_flops());
  text += spread_line("examples a client", examples);
  text += spread_line("classes a client", classes_per_client(data),
                      data.clients > kMostLookedAt ? fmt::format(" of the first {} clients", kMostLookedAt) : "");
  text += fmt::format("{:<22}proxy {}, validation {}, test {}\n", "held by the server", data.proxy.size(),
                      data.validation.size(), data.test.size());
  text +=
      fmt::format("{:<22}{} down, {} up\n", "bytes a round",
                  bytes_text(selected * frame.task + cohort * frame.acknowledge), bytes_text(cohort * frame.update));
  text += fmt::format("{:<22}{:.3g}\n", "FLOPs a round",
                      TaskCosts(federation).flops_an_example() * mean(examples) * selected);
  text += fleet_report(federation, mean(examples), frame);
  text += memory_line(memory_cost(federation, threads), threads);
  text += state_line(federation);
  return text;
}

}  // namespace anybit
