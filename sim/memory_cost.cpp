#include "sim/memory_cost.h"

#include <algorithm>
#include <memory>

#include "nn/gradient.h"
#include "nn/loss.h"
#include "program/resident_memory.h"
#include "server/aggregate.h"
#include "server/class_accuracy.h"
#include "server/grid_points.h"
#include "sim/client_state_cost.h"
#include "sim/cost_report.h"
#include "sim/federation_run.h"
#include "wire/chunks.h"
#include "wire/task_memory.h"

namespace anybit {
namespace {

double buffer_bytes(const Federation& federation) {
  return 4.0 * static_cast<double>(federation.training.layout->size());
}

double state_bytes(const Federation& federation) {
  return buffer_bytes(federation) * (1 + federation.strategy->state_buffers());
}

/// Pixels, label and place in an index list.
double example_bytes(const FederatedData& data) {
  return static_cast<double>(data.shape.size() + sizeof(std::uint8_t) + sizeof(std::uint32_t));
}

/// A set is one pool with the server's shares in it, and the test examples. Clients alike are drawn when they play.
double data_bytes(const FederatedData& data) {
  ExamplePool scratch;
  const std::size_t pool = data.all_alike() ? data.proxy.labels.size() : data.client(0, scratch).labels.size();
  const double starts = data.all_alike() ? 0 : sizeof(std::uint64_t) * static_cast<double>(data.clients);
  return static_cast<double>(pool + data.test.labels.size()) * example_bytes(data) + starts;
}

std::uint32_t tasks_at_once(const FederationPlan& plan) {
  const std::uint64_t most =
      plan.asynchrony ? plan.asynchrony->concurrency : selected_clients(plan.cohort, plan.policy.over_selection);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(most, plan.clients));
}

/// Older versions than the current one that clients can be at work on; none in synchronous rounds.
double older_versions(const FederationPlan& plan) {
  if (!plan.asynchrony) return 0;
  return std::min({tasks_at_once(plan) - 1, plan.asynchrony->max_staleness, plan.rounds - 1});
}

/// The exact sum's two words an element, and the joined change; of asynchronous updates, what each older version that
/// one started from lies off the current one.
double server_bytes(const Federation& federation) {
  const FederationPlan plan = federation.plan();
  const auto& tensors = plan.layout->tensors();
  const bool maxima =
      std::any_of(tensors.begin(), tensors.end(), [](const TensorSpec& tensor) { return tensor.merge == Merge::kMax; });
  const bool shifts =
      (plan.asynchrony && plan.asynchrony->mixing) || std::any_of(tensors.begin(), tensors.end(), is_always_shifted);
  const double shifted = shifts ? std::min<double>(plan.cohort, older_versions(plan)) : 0;
  return state_bytes(federation) + buffer_bytes(federation) * (4 + 1 + (maxima ? 1 : 0) + shifted);
}

/// The downlinks that tasks at work started from, beside the one that was current last; the frames of updates that
/// wait, and for each thread the delta that it sends; over TCP also the task as it came, and the update's frame at each
/// end.
double message_bytes(const Federation& federation, int threads) {
  const FrameBytes frame = frame_bytes(federation);
  const FederationPlan plan = federation.plan();
  const double waiting = std::min<double>(FederationRun::largest_wave(threads), tasks_at_once(plan));
  const double on_the_line = federation.scenario.federation.transport == "tcp" ? frame.task + 2 * frame.update : 0;
  return (2 + older_versions(plan)) * frame.task + waiting * frame.update + threads * (frame.update + on_the_line);
}

/// One training step of zeros: the code that it needs is in memory afterwards.
void run_kernels(const Federation& federation, Workspace& workspace) {
  const FloatBuffer parameters = federation.first_state().global.values;
  FloatBuffer gradients(parameters.size());
  (void)gradient(workspace, parameters, {workspace.images(), workspace.labels()}, {}, CrossEntropy(), gradients);
}

/// Bytes of a workspace for so many samples.
double workspace_bytes(const Federation& federation, int samples) {
  Workspace workspace(federation.training.network, samples, Mode::kTraining);
  run_kernels(federation, workspace);
  return static_cast<double>(workspace.bytes());
}

/// Bytes that a method's slot quantizers keep beside a workspace.
double slot_bytes(const Federation& federation) {
  const TrainingPlan& plan = federation.training;
  if (!plan.method.quantizers) return 0;
  const std::unique_ptr<SlotProgram> program = plan.method.quantizers->make_program(plan.network, plan.layout);
  program->begin_client(federation.first_state().global.values);
  return static_cast<double>(program->bytes());
}

/// Of a generated client.
double drawn_bytes(const Federation& federation) {
  return federation.data->all_alike() ? example_bytes(*federation.data) * federation.training.largest_client : 0;
}

/// A trainer's buffers of parameters; activations, scratch and slots.
double training_bytes(const Federation& federation) {
  const TrainingPlan& plan = federation.training;
  return workspace_bytes(federation, plan.batch) + slot_bytes(federation) +
         training_buffers(plan) * buffer_bytes(federation) + drawn_bytes(federation);
}

/// Of the largest evaluation; that of classes draws clients.
double evaluation_bytes(const Federation& federation, int threads) {
  const Scenario::Evaluate& evaluate = federation.scenario.evaluate;
  const auto of = [&](const std::vector<GridPoint>& points) {
    return static_cast<double>(Evaluator::bytes(federation.training, points, threads));
  };
  const double usual = std::max(of(grid_points(evaluate.grid)), of(grid_points(evaluate.final_grid)));
  const std::vector<GridPoint> classes = class_points(federation, evaluate.final_grid);
  if (classes.empty() || evaluate.class_clients == 0) return usual;
  return std::max(usual, of(classes) + threads * drawn_bytes(federation));
}

/// Whether any cohort could have a client that is cut. If any has, then the largest client with the smallest others.
bool may_cut(const FederatedData& data, std::size_t cohort) {
  if (data.all_alike()) return cohort == 1;
  std::vector<std::uint32_t> examples(data.clients);
  for (std::uint32_t client = 0; client < data.clients; ++client) examples[client] = data.examples(client);
  std::iter_swap(std::ranges::max_element(examples), examples.begin());
  std::sort(examples.begin() + 1, examples.end());
  return client_to_cut(std::span(examples).first(cohort)).has_value();
}

/// Workspaces, slots and gradients of the chunks, which one thread's trainer keeps for all.
double chunk_bytes(const Federation& federation) {
  const FederationPlan plan = federation.plan();
  if (plan.chunks == 1 || !may_cut(*federation.data, plan.cohort)) return 0;
  const auto chunks = static_cast<int>(plan.chunks);
  const int samples = (federation.training.batch + chunks - 1) / chunks;
  return chunks * (workspace_bytes(federation, samples) + slot_bytes(federation)) +
         (chunks - 1) * buffer_bytes(federation);
}

}  // namespace

MemoryCost memory_cost(const Federation& federation, int threads) {
  MemoryCost cost;
  cost.data = data_bytes(*federation.data);
  cost.server = server_bytes(federation);
  cost.messages = message_bytes(federation, threads);
  cost.training = threads * training_bytes(federation) + chunk_bytes(federation);
  cost.evaluation = evaluation_bytes(federation, threads);
  cost.checkpoint = state_bytes(federation) + client_bytes(federation);
  const ClientStateCost kept = client_state_cost(federation);
  cost.clients = kept.memory + kept.index + threads * kept.each;
  cost.program = std::max(0.0, resident_bytes() - cost.data);  // last: by now every kernel is prepared
  return cost;
}

}  // namespace anybit
