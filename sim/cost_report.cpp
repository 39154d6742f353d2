#include "sim/cost_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "sim/progress.h"

namespace anybit {
namespace {

constexpr double kTrainingPasses = 3;     // forward, gradient of the inputs, gradient of the weights
constexpr double kSumBytes = 16;          // of the exact sum, a parameter
constexpr std::uint32_t kMostLookedAt = 1000;  // clients whose labels are counted; generated ones are drawn for it

struct Spread {
  double least = 0;
  double middle = 0;
  double most = 0;
  double mean = 0;
};

Spread spread_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  double sum = 0;
  for (const double value : values) sum += value;
  return {values.front(), values[values.size() / 2], values.back(), sum / static_cast<double>(values.size())};
}

Spread examples_per_client(const FederatedData& data) {
  std::vector<double> counts(data.clients);
  for (std::uint32_t client = 0; client < data.clients; ++client) counts[client] = data.examples(client);
  return spread_of(std::move(counts));
}

Spread classes_per_client(const FederatedData& data) {
  std::vector<double> counts;
  ExamplePool scratch;
  for (std::uint32_t client = 0; client < std::min(data.clients, kMostLookedAt); ++client) {
    std::array<bool, 256> seen{};
    const ExamplesView examples = data.client(client, scratch);
    for (const std::uint32_t index : examples.indices) seen[examples.labels[index]] = true;
    counts.push_back(static_cast<double>(std::count(seen.begin(), seen.end(), true)));
  }
  return spread_of(std::move(counts));
}

double task_bytes(const Federation& federation, const Parameters& global) {
  TaskMessage task;
  const TrainingPlan& plan = federation.training;
  plan.downlink->encode(*plan.layout, plan.broadcast, global.values, {.purpose = Purpose::kCodec}, task.parameters);
  return static_cast<double>(encode_frame(task).size());
}

double update_bytes(const Federation& federation, const Parameters& global) {
  UpdateMessage update;
  const TrainingPlan& plan = federation.training;
  for (const int tensor : plan.uploaded) update.tensors.push_back(static_cast<std::uint32_t>(tensor));
  plan.uplink->encode(*plan.layout, plan.uploaded, global.values, {.purpose = Purpose::kCodec}, update.delta);
  return static_cast<double>(encode_frame(update).size());
}

double flops_a_round(const Federation& federation, double mean_examples) {
  const Scenario& scenario = federation.scenario;
  return federation.training.network->forward_flops() * kTrainingPasses * mean_examples * scenario.training.epochs *
         scenario.federation.cohort;
}

/// Parameters, received, gradients, delta, the optimiser's and the step rule's buffers, activations and scratch.
double worker_bytes(const Federation& federation) {
  const TrainingPlan& plan = federation.training;
  const Workspace workspace(plan.network, plan.batch, Mode::kTraining);
  const int buffers = 4 + plan.optimizer->state_buffers() + (plan.method.rule ? plan.method.rule->scratch_buffers() : 0);
  return static_cast<double>(workspace.bytes()) + 4.0 * buffers * static_cast<double>(plan.layout->size());
}

double pool_bytes(const FederatedData& data) {
  double examples = static_cast<double>(data.test.labels.size());
  ExamplePool scratch;
  const ExamplesView first = data.client(0, scratch);
  // A generated client is drawn into the scratch; a dealt one is a view into the pool that all share.
  if (scratch.labels.empty())
    examples += static_cast<double>(first.labels.size());
  else
    examples += static_cast<double>(data.proxy.labels.size());
  return examples * static_cast<double>(data.shape.size() + 1);
}

std::string spread_line(const char* label, const Spread& spread) {
  return fmt::format("{:<22}{:.0f} / {:.0f} / {:.0f}  (least / middle / most)\n", label, spread.least, spread.middle,
                     spread.most);
}

}  // namespace

std::string cost_report(const Federation& federation, int threads) {
  const Scenario& scenario = federation.scenario;
  const TrainingPlan& plan = federation.training;
  const FederationState first = federation.first_state();
  const Spread examples = examples_per_client(*federation.data);
  const double size = static_cast<double>(plan.layout->size());
  const double cohort = scenario.federation.cohort;
  const double server = size * (4 + kSumBytes) + 4.0 * static_cast<double>(first.strategy_state.size());
  std::string text = fmt::format("{}: {} on {}, method {}, {} rounds of {} out of {} clients\n", scenario.name,
                                 scenario.model.name, scenario.data.set.name, plan.method.name, plan.rounds, cohort,
                                 federation.data->clients);
  text += fmt::format("{:<22}{} in {} tensors\n", "parameters", plan.layout->size(), plan.layout->tensors().size());
  text += fmt::format("{:<22}{:.3g} forward\n", "FLOPs an example", plan.network->forward_flops());
  text += spread_line("examples a client", examples);
  text += spread_line("classes a client", classes_per_client(*federation.data));
  text += fmt::format("{:<22}proxy {}, validation {}, test {}\n", "held by the server", federation.data->proxy.size(),
                      federation.data->validation.size(), federation.data->test.size());
  text += fmt::format("{:<22}{} down, {} up\n", "bytes a round", bytes_text(cohort * task_bytes(federation, first.global)),
                      bytes_text(cohort * update_bytes(federation, first.global)));
  text += fmt::format("{:<22}{:.3g}{}\n", "FLOPs a round", flops_a_round(federation, examples.mean),
                      plan.method.rule ? " for each gradient of a step" : "");
  text += fmt::format("{:<22}{} data, {} server, {} for each of {} threads\n", "memory",
                      bytes_text(pool_bytes(*federation.data)), bytes_text(server), bytes_text(worker_bytes(federation)),
                      threads);
  text += fmt::format("{:<22}{} of the strategy; clients keep none between rounds\n", "state",
                      bytes_text(4.0 * static_cast<double>(first.strategy_state.size())));
  return text;
}

}  // namespace anybit
