#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/event_log.h"
#include "server/federation.h"
#include "server/record/metrics.h"
#include "sim/event_queue.h"
#include "sim/players.h"
#include "sim/transport.h"

namespace anybit {

/// What the coordinator is told where time is virtual: the federation's plan, on its fleet.
FederationPlan virtual_plan(const Federation& federation, int threads);

/// What clients keep: as in the run that a state is of, read at once, null where none has counted there; and where the
/// file of those goes that do not fit in memory (ClientStateRoom).
struct ClientsAtStart {
  const ClientStateReader* saved = nullptr;
  std::string folder = {};
};

/// One federation in virtual time: drives the coordinator from a queue of events. A task's answer is due after the time
/// that its client's device takes (task_cost.h), unless that drops out or goes away before. Tasks are played ahead in
/// waves, by all threads, and handed over one by one in the order of their events: so no result depends on the number
/// of threads, and memory holds little more than a wave of updates. Bytes are counted when an answer is handed over, or
/// when nobody waits for it any more: then the task's alone, and not before its client came by for it.
class FederationRun {
 public:
  /// Told of each event before the coordinator is.
  using EventSink = std::function<void(const LoggedEvent&)>;

  FederationRun(const Federation& federation, FederationState start, int threads, EventSink sink = {},
                const ClientsAtStart& clients = {});

  /// Runs until a round is concluded. Nothing where all rounds are done (finished()), or the federation gave up
  /// (gave_up()), or where `stop` said so before a client's task or a wake-up: the state is then still that of the last
  /// concluded round, as after a TransportError, and this run goes no further.
  std::optional<RoundRecord> next_round(const std::function<bool()>& stop = {});

  /// Whether there is no more to do.
  bool finished() const { return finished_; }
  /// Whether it ended without all rounds.
  bool gave_up() const { return gave_up_; }
  /// Whether it did because not enough clients can be reached ever again.
  bool nobody_left() const { return nobody_left_; }
  /// The most tasks that so many threads play ahead at once.
  static int largest_wave(int threads);

  /// The last concluded version.
  const FederationState& state() const { return coordinator_.state(); }
  std::uint32_t version() const { return coordinator_.progress().version; }
  const Parameters& global() const { return coordinator_.progress().global; }
  /// What the clients in state().counted keep, and until the next round those in that of the round before.
  const ClientStateReader& client_states() const { return players_.states(); }

 private:
  /// False where `stop` said so.
  bool next_event(const std::function<bool()>& stop);
  /// Whether it was played to its end.
  bool play_wave(const std::function<bool()>& stop);
  /// Now that the update's size is known: when it is there, or that its client is gone before.
  void set_time(DueAnswer& due);
  /// How long it takes with an update of so many bytes.
  void set_size(DueAnswer& due, double up);
  /// When its answer is due at the earliest; or that its client is gone before.
  void set_end(DueAnswer& due);
  void hand_over(DueAnswer due);
  /// `answer`: what the event is about; null where it is about no client.
  void take(const Event& event, const DueAnswer* answer);
  void act(Action& action, const DueAnswer* answer);
  void queue_task(const SendTask& send);
  /// Nobody waits for it any more: its client is told to stop, and what was played ahead never happened.
  void release(std::uint32_t client);
  void conclude(const RoundReport& report);
  RoundRecord take_record();
  void answer_client(const DueAnswer* answer, const Message& message);
  void record(const DueAnswer& due, TaskOutcome outcome);
  void tell(std::string failure);

  const Federation& federation_;
  std::unique_ptr<Transport> transport_;
  Players players_;
  Coordinator coordinator_;
  const TaskCosts costs_;
  const bool timed_;  // devices take time
  EventSink sink_;
  EventQueue queue_;
  std::vector<DueAnswer*> wave_;
  std::deque<ReceivedUpdate> boxes_;  // where played updates wait for their turn; used over and over
  std::vector<ReceivedUpdate*> free_boxes_;
  std::shared_ptr<const CohortTask> task_;  // what is sent now
  std::vector<TaskRecord> tasks_;           // that ended in this round; only where timed_
  std::vector<Action> actions_;
  std::vector<std::string> failures_;  // of this round, the first few
  Traffic traffic_;                    // of this round
  Bytes frame_head_;
  std::optional<RoundReport> concluded_;
  double time_;
  std::uint32_t version_ = 0;  // before the event that is handled
  bool started_ = false;
  bool finished_ = false;
  bool gave_up_ = false;
  bool nobody_left_ = false;
};

}  // namespace anybit
