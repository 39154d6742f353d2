#pragma once

#include <cstdint>

#include "wire/message.h"
#include "wire/training_plan.h"

namespace anybit {

// What a training task takes of a device's memory beside program and data, from sizes alone: a client declines by it,
// and a server refuses a fleet whose devices all would.

/// Buffers of the layout's size that training has: parameters, received, gradients, the optimiser's and the step
/// rule's.
int training_buffers(const TrainingPlan& plan);
/// Bytes of all of them.
double buffer_bytes(const TrainingPlan& plan);
/// Of what the client keeps between its rounds: the version that counts, the one before, the one of the last update,
/// the one that is trained with.
double kept_bytes(const TrainingPlan& plan);

/// The least that training takes.
double least_task_bytes(const TrainingPlan& plan);
/// What a task's messages take beside that: its frame, the parameters, the update and its frame.
double message_bytes(const TrainingPlan& plan, const Offer& offer);
/// Bytes of the parameters that a task brings.
std::uint64_t downlink_bytes(const TrainingPlan& plan);

}  // namespace anybit
