#include "client/task_limits.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/training.h"
#include "program/quantity_text.h"
#include "program/resident_memory.h"
#include "scenarios/comma_list.h"
#include "wire/task_memory.h"

namespace anybit {
TaskCost measure_task(const TrainingPlan& plan, const ExamplesView& examples, const Normalization& normalization,
                      std::span<const int> device_widths) {
  const Parameters first = make_parameters(*plan.network, plan.method, plan.layout, plan.seed);
  Trainer trainer(plan);
  const double seconds = trainer.try_steps(first.values, examples, normalization, device_widths);
  const double bytes = static_cast<double>(trainer.bytes());
  const auto batch = static_cast<std::size_t>(plan.batch);
  const double steps = static_cast<double>((examples.size() + batch - 1) / batch) * plan.epochs;
  return {bytes + kept_bytes(plan), bytes - buffer_bytes(plan), seconds * steps};
}

/// A task in chunks has all of a batch's passes once more, and a gradient for each chunk but the first.
double chunk_bytes(const TrainingPlan& plan, const TaskCost& cost, const Offer& offer) {
  if (offer.chunks <= 1) return 0;
  return cost.pass_bytes + sizeof(float) * static_cast<double>(plan.layout->size()) * (offer.chunks - 1);
}

std::string refuse_method(const TaskLimits& limits, const std::string& method) {
  if (limits.methods.empty() || std::ranges::find(limits.methods, method) != limits.methods.end()) return "";
  return fmt::format("the method '{}' is not allowed here; allowed: {}", method, comma_list(limits.methods));
}

std::string refuse_bytes(const TaskLimits& limits, double bytes) {
  if (bytes > physical_bytes())
    return fmt::format("it takes {} of memory, this machine has {}", bytes_text(bytes), bytes_text(physical_bytes()));
  if (limits.memory == 0 || bytes <= limits.memory) return "";
  return fmt::format("it takes {} of memory, allowed are {}", bytes_text(bytes), bytes_text(limits.memory));
}

std::string refuse_seconds(const TaskLimits& limits, double seconds) {
  if (limits.seconds == 0 || seconds <= limits.seconds) return "";
  return fmt::format("it takes about {:.1f} s, allowed are {:.1f} s", seconds, limits.seconds);
}

}  // namespace anybit
