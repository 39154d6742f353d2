#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <thread>

#include "client/local_data.h"
#include "client/training.h"

namespace anybit {

/// One task at a time, trained in a thread of its own while the caller speaks to the server.
class TrainingJob {
 public:
  /// Borrows all. `widths`: that the device can run.
  TrainingJob(const TrainingPlan& plan, const LocalData& data, std::span<const int> widths, int threads);
  ~TrainingJob() { cancel(); }

  /// Copies what the message views, and takes what the client keeps (Trainer::train). Not while another task is at
  /// work. Throws what memory or threads that are not there throw; none is at work then.
  void start(const TaskMessage& task, FloatBuffer kept = {});
  bool at_work() const { return thread_.joinable(); }
  /// The one at work.
  const TaskMessage& task() const { return task_; }
  /// CRC32C of the parameters that it starts from.
  std::uint32_t digest() const { return digest_; }
  /// Whether the training is over, and finish() waits for nothing.
  bool is_done() const { return done_.load(std::memory_order_acquire); }
  /// Drops the task where one is at work; waits for no more than the step that it is at.
  void cancel();
  /// Ends the task: "" and the update, whose delta is good until the next start(); or why there is none.
  std::string finish(UpdateMessage& update);
  /// What the client keeps from the update that finish() gave; good until the next start().
  std::span<const float> kept() const { return kept_; }

 private:
  const LocalData& data_;
  std::vector<int> widths_;
  int threads_;
  Trainer trainer_;
  TaskMessage task_;
  Bytes parameters_;  // of the task
  std::uint32_t digest_ = 0;
  FloatBuffer kept_;
  UpdateMessage update_;
  std::string refusal_;
  std::atomic<bool> done_ = false;
  std::atomic<bool> cancelled_ = false;
  std::thread thread_;
};

}  // namespace anybit
