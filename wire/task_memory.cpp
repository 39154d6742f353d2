#include "wire/task_memory.h"

namespace anybit {

int training_buffers(const TrainingPlan& plan) {
  return 3 + plan.optimizer->state_buffers() + (plan.method.rule ? plan.method.rule->scratch_buffers() : 0);
}

double buffer_bytes(const TrainingPlan& plan) {
  return static_cast<double>(sizeof(float)) * training_buffers(plan) * static_cast<double>(plan.layout->size());
}

double kept_bytes(const TrainingPlan& plan) {
  return 4.0 * sizeof(float) * static_cast<double>(client_floats(plan.method, *plan.layout));
}

double least_task_bytes(const TrainingPlan& plan) {
  std::size_t floats = plan.network->description().input.size();
  for (const Shape& shape : plan.network->shapes()) floats += shape.size();
  return buffer_bytes(plan) + kept_bytes(plan) + static_cast<double>(floats * sizeof(float)) * plan.batch;
}

double message_bytes(const TrainingPlan& plan, const Offer& offer) {
  const double delta = sizeof(float) * static_cast<double>(plan.layout->size());  // at most
  return 2 * (static_cast<double>(offer.parameters) + delta);
}

std::uint64_t downlink_bytes(const TrainingPlan& plan) {
  std::uint64_t bytes = 0;
  for (const int tensor : plan.broadcast)
    bytes += plan.downlink->code_bytes(plan.layout->tensors()[static_cast<std::size_t>(tensor)]);
  return bytes;
}

}  // namespace anybit
