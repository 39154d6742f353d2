#pragma once

#include <span>
#include <string>
#include <vector>

#include "data/examples.h"
#include "wire/message.h"
#include "wire/training_plan.h"

namespace anybit {

/// What a device's owner allows a task to take.
struct TaskLimits {
  double memory = 0;                 // bytes, beside program and data; 0: no limit
  double seconds = 0;                // 0: no limit
  std::vector<std::string> methods;  // empty: any
};

/// What a task takes here.
struct TaskCost {
  double bytes = 0;       // of all that training needs beside program and data
  double pass_bytes = 0;  // of them, of what passes a batch through the network
  double seconds = 0;     // of training, by a step that was tried
};

/// Makes what training needs, takes a few steps from the model's first values, and frees it: so it takes their time and
/// memory.
TaskCost measure_task(const TrainingPlan& plan, const ExamplesView& examples, const Normalization& normalization,
                      std::span<const int> device_widths);

/// What a task takes besides what wire/task_memory.h counts to cut batches, where it does so.
double chunk_bytes(const TrainingPlan& plan, const TaskCost& cost, const Offer& offer);

/// "" or why the owner does not allow it, or the machine has not got it.
std::string refuse_method(const TaskLimits& limits, const std::string& method);
std::string refuse_bytes(const TaskLimits& limits, double bytes);
std::string refuse_seconds(const TaskLimits& limits, double seconds);

}  // namespace anybit
