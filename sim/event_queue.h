#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "sim/task_cost.h"
#include "sim/transport.h"

namespace anybit {

/// A task on its way through a client: at `time` its answer is due at the coordinator, or later where it was not played
/// yet and its size is not known. It may be worked out any time before; that changes nothing.
struct DueAnswer {
  double time = 0;
  std::uint32_t client = 0;
  std::uint32_t chunks = 1;                // that its batches are cut into
  std::uint32_t counted = 0;               // TaskMessage::counted
  std::shared_ptr<const CohortTask> task;  // one for the whole cohort
  std::uint64_t task_bytes = 0;            // of its frame for this client
  bool played = false;                     // or lost before its update could be
  int worker = -1;                         // who played it
  std::string lost;                        // why there is no update; empty: there is one
  ReceivedUpdate* update = nullptr;        // borrowed from whoever plays
  Traffic traffic = {};                    // of task and update, once it was played
  double sent = 0;                         // when it was given
  double began = 0;                        // when its client came by for it
  double ends = kNever;                    // when its client is gone at the latest, if it is at work then
  std::string end_reason;                  // and why
  TaskTimes times = {};                    // that it takes with an update of
  double up = 0;                           // so many bytes: the least until it was played

  /// Whether its client came by for it before it was gone, and by then.
  bool came_by(double now) const { return std::min(now, ends) >= began; }
  TaskReceiver receiver() const { return {client, chunks, counted}; }
  std::uint32_t round() const { return task ? task->message.id.round : 0; }
  TaskId id() const { return {task->message.id.run, round(), client}; }
};

/// What lies ahead in virtual time: answers in order of time, ties by the tasks' round, then by client; and a wake-up,
/// which comes behind the answers of its own time. A client has one answer in it. References stay valid until their
/// answer is taken out.
class EventQueue {
 public:
  void push(DueAnswer due);
  /// Its time has changed.
  void move(DueAnswer& due, double time);
  /// Takes out the answer of a client; nothing where it has none.
  std::optional<DueAnswer> take(std::uint32_t client);
  /// In place of an earlier one; infinite: of none.
  void wake_at(double time) {
    wake_.reset();
    if (!std::isinf(time)) wake_ = time;
  }
  /// The wake-up, where it comes before all answers.
  std::optional<double> next_wake() const {
    return wake_ && (empty() || *wake_ < answers_.begin()->second.time) ? wake_ : std::nullopt;
  }
  void pop_wake() { wake_.reset(); }

  bool empty() const { return answers_.empty(); }
  DueAnswer& front() { return answers_.begin()->second; }
  DueAnswer pop();
  /// Of the next `most` answers those that nobody has played yet, in order. Later ones would have to be kept while
  /// newcomers come before them again and again.
  void next_unplayed(std::size_t most, std::vector<DueAnswer*>& wave);

 private:
  using Key = std::tuple<double, std::uint32_t, std::uint32_t>;  // time, round, client
  using Answers = std::map<Key, DueAnswer>;

  static Key key(const DueAnswer& due) { return {due.time, due.round(), due.client}; }

  Answers answers_;
  std::unordered_map<std::uint32_t, Answers::iterator> by_client_;
  std::optional<double> wake_;
};

}  // namespace anybit
