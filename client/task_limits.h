#pragma once

#include <cstddef>
#include <string>
#include <vector>

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
  double bytes = 0;    // of all that training needs beside program and data
  double seconds = 0;  // of training, by a step that was tried
};

/// Makes what training needs and runs a few steps of zeros, so it takes their time and memory.
TaskCost measure_task(const TrainingPlan& plan, std::size_t examples);

/// The least that training takes, from sizes alone; nothing is made.
double least_task_bytes(const TrainingPlan& plan);

/// "" or why the owner does not allow it.
std::string refuse_method(const TaskLimits& limits, const std::string& method);
std::string refuse_bytes(const TaskLimits& limits, double bytes);
std::string refuse_seconds(const TaskLimits& limits, double seconds);

}  // namespace anybit
