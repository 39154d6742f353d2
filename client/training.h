#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "data/examples.h"
#include "wire/message.h"
#include "wire/training_plan.h"

namespace anybit {

/// One thread's means to play any client, one after the other (DESIGN D2). After the first client, and the first whose
/// batches are cut, it allocates nothing of ours.
class Trainer {
 public:
  explicit Trainer(const TrainingPlan& plan);
  ~Trainer();

  /// Trains on the client's examples and fills `update`, whose delta is a view of this trainer's bytes that is good
  /// until its next training. Returns "" or the reason why the task is refused. Where the task cuts batches into
  /// chunks, at most `threads` threads share them; the bits are the same for any number. `kept`: client_floats() of
  /// what the client kept from its last update that counts, which become what it keeps if this one does; untouched
  /// where the task is refused.
  std::string train(const TaskMessage& task, const ExamplesView& examples, const Normalization& normalization,
                    std::span<const int> device_widths, UpdateMessage& update, int threads = 1,
                    std::span<float> kept = {});
  /// From now on each step asks `asked`, which must live as long as this: once it is set, train() ends and says that it
  /// was stopped.
  void stop_when(const std::atomic<bool>& asked);
  /// Seconds of one step on these examples from these values: the least of a few, for others may have the processor in
  /// some.
  double try_steps(std::span<const float> parameters, const ExamplesView& examples, const Normalization& normalization,
                   std::span<const int> device_widths);
  /// Of all that it holds.
  std::size_t bytes() const;
  /// See Workspace::watch(); batches that are cut are not watched.
  void watch(NodeTimes* times);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anybit
