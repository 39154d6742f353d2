#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
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
  std::shared_ptr<const CohortTask> task;  // one for the whole cohort
  bool played = false;
  int worker = -1;                   // who played it
  std::string lost;                  // why there is no update; empty: there is one
  ReceivedUpdate* update = nullptr;  // borrowed from whoever plays
};

/// What lies ahead in virtual time, in order of time; ties by client id. Answers are handled from the front; references
/// stay valid until the next push().
class EventQueue {
 public:
  void push(DueAnswer due);
  bool empty() const { return head_ == answers_.size(); }
  DueAnswer& front() { return answers_[head_]; }
  void pop();
  /// The next answers that nobody has played yet, in order, at most `most`.
  void next_unplayed(std::size_t most, std::vector<DueAnswer*>& wave);

 private:
  std::vector<DueAnswer> answers_;  // sorted from head_ on; before it: done
  std::size_t head_ = 0;
};

}  // namespace anybit
