#pragma once

#include <memory>

#include "client/training.h"
#include "server/federation.h"

namespace anybit {

/// Plays clients as a run's first round plays them, one after the other in this thread and without a transport: for
/// what measures training.
class ClientPlayer {
 public:
  /// The federation must outlive it.
  explicit ClientPlayer(const Federation& federation);

  /// Seconds of the client's training alone; drawing its examples is not in them. std::logic_error where it refuses its
  /// own run's task.
  double play(std::uint32_t client);
  /// See Workspace::watch().
  void watch(NodeTimes* times) { trainer_.watch(times); }

 private:
  const Federation& federation_;
  Trainer trainer_;
  std::shared_ptr<const CohortTask> shared_;
  TaskMessage task_;  // of the client that is played
  ExamplePool scratch_;
  UpdateMessage update_;
  FloatBuffer kept_;
};

}  // namespace anybit
