#pragma once

#include <cstdint>
#include <vector>

#include "server/federation.h"

namespace anybit {

/// Where the virtual seconds of a task go, on the device of its client, in this order: latency, down, compute, latency,
/// up. (specs D, "Client time"; each factor with the log-normal spread that the class has.)
struct TaskTimes {
  double latency = 0;  // one way
  double down = 0;
  double compute = 0;
  double up = 0;

  double total() const { return 2 * latency + down + compute + up; }
  /// The same where it was cut off after so many seconds.
  TaskTimes until(double seconds) const;
};

/// What a task cost its client.
struct PlayedCost {
  TaskTimes times;
  double flops = 0;
  double bytes_down = 0;
  double bytes_up = 0;
  double joules = 0;
};

/// What a task asks of a device, or what of it was done.
struct TaskWork {
  double flops = 0;
  double bytes_down = 0;
  double bytes_up = 0;
};

/// How fast a device does it: FLOP/s and bytes/s; 0: it takes no time.
struct DeviceSpeed {
  double compute = 0;
  double down = 0;
  double up = 0;
};

TaskTimes task_times(const DeviceSpeed& speed, double latency, const TaskWork& work);
/// energy = flops x energy_flop + bytes x energy_byte + the rest of the time x idle_power.
double task_joules(const FleetClass& device, const TaskWork& done, double waiting);

/// A task on the device in the middle of a class.
struct ClassTask {
  const FleetClass& device;
  TaskTimes times;
  double joules;
};
std::vector<ClassTask> class_tasks(const Fleet& fleet, const TaskWork& work);

/// What tasks cost on the devices of a federation's fleet: pure functions of (seed, round, client), so nothing is
/// stored for any number of clients. Without a fleet all is for nothing.
class TaskCosts {
 public:
  /// Borrows the federation.
  explicit TaskCosts(const Federation& federation);

  /// Floating-point operations of a client's training: 3 x forward (gradients of inputs and of weights cost as much
  /// again each) x gradients a step x examples x epochs.
  double flops(std::uint32_t client) const;
  double flops_an_example() const { return flops_an_example_; }
  /// Of a task whose frames have so many bytes.
  TaskTimes times(const TaskId& task, double bytes_down, double bytes_up) const;
  /// The same with links as fast as one draw in a thousand of their spread.
  TaskTimes lucky_times(std::uint32_t client, double bytes_down, double bytes_up) const;
  /// Seconds after its beginning at which the client drops out; infinite: it does not. `seconds` of work: it drops out
  /// anywhere within.
  double drops_out_after(const TaskId& task, double seconds) const;
  /// What the task cost that ran for so many seconds of these, then was cut off (infinite: to its end). A phase that
  /// takes no time is done once it is reached, but for the upload: only who is not cut off has sent its update.
  PlayedCost cost(const TaskId& task, const TaskTimes& times, double seconds, double bytes_down, double bytes_up) const;
  /// The least frame that an update of this federation can be: quantizers that no step trained are not in it.
  double least_update() const { return least_update_; }

 private:
  const Federation& federation_;
  double flops_an_example_;
  double least_update_;
};

}  // namespace anybit
