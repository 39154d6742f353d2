#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/transport.h"

namespace anybit {

/// A task on its way through a client: at `time` its answer is due at the coordinator. It may be worked out any time
/// before; that changes nothing.
struct DueAnswer {
  double time = 0;
  std::uint32_t client = 0;
  std::uint32_t chunks = 1;                // that its batches are cut into
  std::uint32_t counted = 0;               // TaskMessage::counted
  std::shared_ptr<const CohortTask> task;  // one for the whole cohort
  bool played = false;
  int worker = -1;                   // who played it
  std::string lost;                  // why there is no update; empty: there is one
  ReceivedUpdate* update = nullptr;  // borrowed from whoever plays
  Traffic traffic = {};              // of task and update, once it was played

  TaskReceiver receiver() const { return {client, chunks, counted}; }
  std::uint32_t round() const { return task->message.id.round; }
};

/// What lies ahead in virtual time: answers in order of time, ties by client id; and a wake-up, which comes behind the
/// answers of its own time. Answers are handled from the front; references stay valid until the next push() or
/// take_round().
class EventQueue {
 public:
  void push(DueAnswer due);
  /// Takes out what is left of a round.
  std::vector<DueAnswer> take_round(std::uint32_t round);
  /// In place of an earlier one.
  void wake_at(double time) { wake_ = time; }
  /// The wake-up, where it comes before all answers.
  std::optional<double> next_wake() const {
    return wake_ && (empty() || *wake_ < answers_[head_].time) ? wake_ : std::nullopt;
  }
  void pop_wake() { wake_.reset(); }

  bool empty() const { return head_ == answers_.size(); }
  DueAnswer& front() { return answers_[head_]; }
  void pop();
  /// The next answers that nobody has played yet, in order, at most `most`.
  void next_unplayed(std::size_t most, std::vector<DueAnswer*>& wave);

 private:
  std::vector<DueAnswer> answers_;  // sorted from head_ on; before it: done
  std::size_t head_ = 0;
  std::optional<double> wake_;
};

}  // namespace anybit
