#include "client/task_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "client/training.h"
#include "nn/gradient.h"
#include "nn/loss.h"
#include "program/quantity_text.h"
#include "scenarios/comma_list.h"

namespace anybit {
namespace {

constexpr int kTries = 5;  // the least counts: others may have the processor in some

/// Parameters, received, gradients, the optimiser's and the step rule's buffers.
double buffer_bytes(const TrainingPlan& plan) {
  // The one that counts, the one before, the one of the last update, the one that is trained with.
  constexpr std::size_t kStates = 4;
  return static_cast<double>(sizeof(float) * (static_cast<std::size_t>(training_buffers(plan)) * plan.layout->size() +
                                              kStates * client_floats(plan.method, *plan.layout)));
}

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

double least_task_bytes(const TrainingPlan& plan) {
  std::size_t floats = plan.network->description().input.size();
  for (const Shape& shape : plan.network->shapes()) floats += shape.size();
  return buffer_bytes(plan) + static_cast<double>(floats * sizeof(float)) * plan.batch;
}

TaskCost measure_task(const TrainingPlan& plan, std::size_t examples) {
  Workspace workspace(plan.network, plan.batch, Mode::kTraining);
  const FloatBuffer parameters(plan.layout->size());
  FloatBuffer gradients(parameters.size());
  const auto step = [&] {
    (void)gradient(workspace, parameters, {workspace.images(), workspace.labels()}, {}, CrossEntropy(), gradients);
  };
  step();  // the first prepares kernels
  double seconds = seconds_of(step);
  for (int again = 1; again < kTries; ++again) seconds = std::min(seconds, seconds_of(step));
  const std::size_t batch = static_cast<std::size_t>(plan.batch);
  const double steps = static_cast<double>((examples + batch - 1) / batch) * plan.epochs;
  TaskCost cost;
  cost.bytes = buffer_bytes(plan) + static_cast<double>(workspace.bytes());
  cost.seconds = seconds * steps;
  if (!plan.method.quantizers) return cost;
  const std::unique_ptr<SlotProgram> program = plan.method.quantizers->make_program(plan.network, plan.layout);
  program->begin_client(parameters);
  cost.bytes += static_cast<double>(program->bytes());
  return cost;
}

std::string refuse_method(const TaskLimits& limits, const std::string& method) {
  if (limits.methods.empty() || std::ranges::find(limits.methods, method) != limits.methods.end()) return "";
  return fmt::format("the method '{}' is not allowed here; allowed: {}", method, comma_list(limits.methods));
}

std::string refuse_bytes(const TaskLimits& limits, double bytes) {
  if (limits.memory == 0 || bytes <= limits.memory) return "";
  return fmt::format("it takes {} of memory, allowed are {}", bytes_text(bytes), bytes_text(limits.memory));
}

std::string refuse_seconds(const TaskLimits& limits, double seconds) {
  if (limits.seconds == 0 || seconds <= limits.seconds) return "";
  return fmt::format("it takes about {:.1f} s, allowed are {:.1f} s", seconds, limits.seconds);
}

}  // namespace anybit
