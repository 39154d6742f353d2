#include "server/federation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "program/quantity_text.h"
#include "program/resident_memory.h"
#include "server/evaluator.h"
#include "wire/chunks.h"
#include "wire/task_memory.h"

namespace anybit {
namespace {

/// Clients that may differ in how many examples they hold.
std::uint32_t different_clients(const FederatedData& data) {
  return data.all_alike() ? std::min(data.clients, 1U) : data.clients;
}

std::uint32_t largest_client(const FederatedData& data) {
  std::uint32_t largest = 0;
  for (std::uint32_t client = 0; client < different_clients(data); ++client)
    largest = std::max(largest, data.examples(client));
  return largest;
}

/// A client without examples could not answer a task.
void refuse_empty_client(const Scenario& scenario, const FederatedData& data) {
  for (std::uint32_t client = 0; client < different_clients(data); ++client)
    if (data.examples(client) == 0)
      throw key_mistake(scenario.data.partition.where, "data.partition",
                        fmt::format("client {} would hold no example; take fewer clients, more examples or another "
                                    "partition",
                                    client));
}

}  // namespace

void check_grid(const EvaluationGrid& grid, const Scenario& scenario, const NetworkPlan& trained, Mistakes& mistakes) {
  mistakes.check([&] { Evaluator::check(grid, trained.method.has_activation_ranges, scenario.data.proxy); });
  mistakes.check([&] { Evaluator::check_trained(grid, trained); });
}

void check_size(const Scenario& scenario, const NetworkPlan& trained, Mistakes& mistakes) {
  constexpr std::size_t kRoom = std::size_t{64} << 10;  // for what stands in a task's frame beside the parameters
  constexpr std::size_t kMost = (FrameLimits{}.body - kRoom) / sizeof(float);
  if (const std::size_t parameters = trained.layout->size(); parameters > kMost)
    mistakes.add(key_mistake(scenario.model.where, "model",
                             fmt::format("'{}' has {} parameters here, and {} are the most: what a frame carries in "
                                         "float32 (wire/FORMAT.md); take a smaller network",
                                         scenario.model.name, parameters, kMost)));
  double floats = static_cast<double>(trained.network->description().input.size());
  for (const Shape& shape : trained.network->shapes()) floats += 2.0 * static_cast<double>(shape.size());
  const double batch = floats * sizeof(float) * scenario.training.batch;
  if (batch > physical_bytes())
    mistakes.add(key_mistake(scenario.training.batch_where, "training.batch",
                             fmt::format("the activations of {} examples take {}, and this machine has {}; take a "
                                         "smaller batch",
                                         scenario.training.batch, bytes_text(batch), bytes_text(physical_bytes()))));
}

std::size_t largest_update(const Federation& federation) {
  std::size_t bytes = std::size_t{4} << 10;  // for what stands beside tensors and delta
  const TrainingPlan& plan = federation.training;
  for (const int tensor : plan.uploaded) {
    const TensorSpec& spec = plan.layout->tensors().at(static_cast<std::size_t>(tensor));
    bytes += sizeof(std::uint32_t) + sizeof(TensorShare) + plan.uplink->code_bytes(spec);
  }
  return bytes;
}

std::unique_ptr<FederatedData> load_checked_data(const Scenario& resolved,
                                                 const std::vector<std::string>& data_directories) {
  std::unique_ptr<FederatedData> data = load_data(resolved, data_directories);
  refuse_empty_client(resolved, *data);
  return data;
}

std::shared_ptr<const CohortTask> make_cohort_task(const TrainingPlan& plan, const SendTask& send) {
  TaskMessage message;
  message.id = send.task;
  message.planned_rounds = plan.rounds;
  message.version = send.version;
  message.layout = plan.layout->digest();
  return std::make_shared<const CohortTask>(message, send.parameters, send.digest);
}

std::uint64_t text_digest(std::string_view text) {
  std::uint64_t digest = 0xcbf29ce484222325U;
  for (const char c : text) digest = (digest ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return digest;
}

void check_fleet(const Scenario& scenario, const TrainingPlan& plan, Mistakes& mistakes) {
  Offer task;
  task.parameters = downlink_bytes(plan);
  const double needed = least_task_bytes(plan) + message_bytes(plan, task);
  for (const FleetClass& one : scenario.fleet) {
    if (one.memory == 0 || one.memory >= needed) continue;
    mistakes.add(key_mistake(one.where, "fleet.class",
                             fmt::format("'{}' has {} of memory, and a training task takes {} at least, in batches of "
                                         "{}; give it more, take a smaller network or batch, or leave the class out",
                                         one.name, bytes_text(one.memory), bytes_text(needed), plan.batch)));
  }
}

Federation make_federation(const Scenario& resolved, const std::vector<std::string>& data_directories) {
  Federation federation;
  federation.scenario = resolved;
  federation.result_bearing = result_bearing_text(resolved);
  federation.run = text_digest(federation.result_bearing);
  Mistakes mistakes;
  std::unique_ptr<FederatedData> data;
  mistakes.check([&] { federation.fleet = make_fleet(resolved, data_directories); });
  mistakes.check([&] { data = load_checked_data(resolved, data_directories); });
  mistakes.throw_if_any();
  for (const TraceFile& trace : federation.fleet.traces()) data->checksums.push_back(trace.checksum);
  federation.data = std::move(data);
  federation.training = make_plan(resolved, federation.data->shape, federation.data->classes);
  federation.weighting = weightings().make(resolved.federation.weighting);
  federation.strategy = strategies().make(resolved.federation.strategy);
  federation.training.largest_client = largest_client(*federation.data);
  check_fleet(resolved, federation.training, mistakes);
  check_size(resolved, federation.training, mistakes);
  if (resolved.evaluate.uses_grid()) check_grid(resolved.evaluate.grid, resolved, federation.training, mistakes);
  if (resolved.evaluate.has_final) check_grid(resolved.evaluate.final_grid, resolved, federation.training, mistakes);
  mistakes.throw_if_any();
  return federation;
}

FederationPlan Federation::plan(int threads) const {
  FederationPlan plan;
  plan.run = run;
  plan.seed = scenario.seed;
  plan.clients = scenario.data.clients;
  plan.cohort = static_cast<std::uint32_t>(scenario.federation.cohort);
  plan.rounds = static_cast<std::uint32_t>(scenario.federation.rounds);
  plan.policy = scenario.federation.policy;
  plan.asynchrony = aggregations().make(scenario.federation.aggregation);
  plan.layout = training.layout;
  plan.broadcast = training.broadcast;
  plan.uploaded = training.uploaded;
  plan.uplink = training.uplink.get();
  plan.downlink = training.downlink.get();
  plan.strategy = strategy.get();
  plan.weighting = weighting.get();
  plan.widths = [devices = &fleet](std::uint32_t client) { return devices->widths(client); };
  plan.client_state = training.method.client_state != nullptr;
  plan.threads = threads;
  plan.chunks = chunks_of_batch(*training.network, *training.layout, training.batch);
  plan.examples = [held = data.get()](std::uint32_t client) { return held->examples(client); };
  return plan;
}

FederationState Federation::first_state() const {
  FederationState state;
  state.global = make_parameters(*training.network, training.method, training.layout, scenario.seed);
  state.strategy_state.assign(training.layout->size() * static_cast<std::size_t>(strategy->state_buffers()), 0.0F);
  return state;
}

}  // namespace anybit
