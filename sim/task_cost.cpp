#include "sim/task_cost.h"

#include <algorithm>
#include <cmath>

#include "nn/arithmetic.h"
#include "nn/random.h"

namespace anybit {
namespace {

constexpr double kTrainingPasses = 3;
constexpr double kLuck = 3.09;  // a normal draw in a thousand is above

/// A log-normal factor with median 1.
double spread(double sigma, Stream& stream) { return sigma > 0 ? fixed_exp(sigma * stream.normal()) : 1; }

/// What of a phase is done when `seconds` of it and what follows are over; takes it off them.
double take(double phase, double& seconds) {
  const double done = std::clamp(seconds, 0.0, phase);
  seconds -= done;
  return done;
}

/// The share of a phase that is done; one that takes no time is, once it is reached.
double part(double done, double whole, bool reached) {
  if (whole > 0) return done / whole;
  return reached ? 1 : 0;
}

double least_update_of(const TrainingPlan& plan) {
  UpdateMessage update;
  std::vector<int> sent;
  for (const int tensor : plan.uploaded) {
    const auto index = static_cast<std::uint32_t>(tensor);
    if (plan.layout->tensors()[index].role == Role::kQuantizer) continue;
    update.tensors.push_back(index);
    sent.push_back(tensor);
  }
  Bytes delta;
  const FloatBuffer zeros(plan.layout->size(), 0.0F);
  plan.uplink->encode(*plan.layout, sent, zeros, {.purpose = Purpose::kCodec}, delta);
  update.delta = delta;
  return static_cast<double>(encode_frame(update).size());
}

}  // namespace

TaskTimes TaskTimes::until(double seconds) const {
  if (seconds >= total()) return *this;
  TaskTimes cut{.latency = latency};
  (void)take(latency, seconds);
  cut.down = take(down, seconds);
  cut.compute = take(compute, seconds);
  (void)take(latency, seconds);
  cut.up = take(up, seconds);
  return cut;
}

TaskTimes task_times(const DeviceSpeed& speed, double latency, const TaskWork& work) {
  TaskTimes times{.latency = latency};
  if (speed.down > 0) times.down = work.bytes_down / speed.down;
  if (speed.compute > 0) times.compute = work.flops / speed.compute;
  if (speed.up > 0) times.up = work.bytes_up / speed.up;
  return times;
}

double task_joules(const FleetClass& device, const TaskWork& done, double waiting) {
  return device.energy_flop * done.flops + device.energy_byte * (done.bytes_down + done.bytes_up) +
         device.idle_power * waiting;
}

std::vector<ClassTask> class_tasks(const Fleet& fleet, const TaskWork& work) {
  std::vector<ClassTask> tasks;
  for (const FleetClass& device : fleet.classes()) {
    const TaskTimes times = task_times({device.compute, device.down, device.up}, device.latency, work);
    tasks.push_back({device, times, task_joules(device, work, times.total() - times.compute)});
  }
  return tasks;
}

TaskCosts::TaskCosts(const Federation& federation)
    : federation_(federation), least_update_(least_update_of(federation.training)) {
  const TrainingPlan& plan = federation.training;
  const double gradients = plan.method.rule ? plan.method.rule->gradients() : 1;
  flops_an_example_ = kTrainingPasses * plan.network->forward_flops() * gradients * plan.epochs;
}

double TaskCosts::flops(std::uint32_t client) const {
  return flops_an_example_ * static_cast<double>(federation_.data->examples(client));
}

TaskTimes TaskCosts::times(const TaskId& task, double bytes_down, double bytes_up) const {
  const FleetClass* device = federation_.fleet.device_class(task.client);
  if (device == nullptr) return {};
  Stream stream(
      {.seed = federation_.scenario.seed, .purpose = Purpose::kLink, .round = task.round, .client = task.client});
  const double down = device->down * spread(device->link_spread, stream);
  const double up = device->up * spread(device->link_spread, stream);
  return task_times({federation_.fleet.compute(task.client), down, up}, device->latency,
                    {flops(task.client), bytes_down, bytes_up});
}

TaskTimes TaskCosts::lucky_times(std::uint32_t client, double bytes_down, double bytes_up) const {
  const FleetClass* device = federation_.fleet.device_class(client);
  if (device == nullptr) return {};
  const double luck = fixed_exp(kLuck * device->link_spread);
  return task_times({federation_.fleet.compute(client), device->down * luck, device->up * luck}, device->latency,
                    {flops(client), bytes_down, bytes_up});
}

double TaskCosts::drops_out_after(const TaskId& task, double seconds) const {
  const FleetClass* device = federation_.fleet.device_class(task.client);
  if (device == nullptr || device->drop_out == 0) return kNever;
  Stream stream(
      {.seed = federation_.scenario.seed, .purpose = Purpose::kDropOut, .round = task.round, .client = task.client});
  return stream.uniform() < device->drop_out ? stream.uniform() * seconds : kNever;
}

PlayedCost TaskCosts::cost(const TaskId& task, const TaskTimes& times, double seconds, double bytes_down,
                           double bytes_up) const {
  const bool is_whole = std::isinf(seconds);
  seconds = std::min(seconds, times.total());
  PlayedCost cost{.times = times.until(seconds)};
  const double trains_from = times.latency + times.down;
  cost.bytes_down = bytes_down * part(cost.times.down, times.down, seconds >= times.latency);
  cost.flops = flops(task.client) * part(cost.times.compute, times.compute, seconds >= trains_from);
  cost.bytes_up = bytes_up * part(cost.times.up, times.up, is_whole);
  const FleetClass* device = federation_.fleet.device_class(task.client);
  if (device == nullptr) return cost;
  cost.joules =
      task_joules(*device, {cost.flops, cost.bytes_down, cost.bytes_up}, std::max(0.0, seconds - cost.times.compute));
  return cost;
}

}  // namespace anybit
