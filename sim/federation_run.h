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

/// One federation in virtual time: drives the coordinator from a queue of events. Tasks are played ahead in waves, by
/// all threads, and handed over one by one in the order of their events: so no result depends on the number of
/// threads, and memory holds at most a wave of updates. Bytes are counted when an answer is handed over, or when its
/// round is over without it: then the task's alone.
class FederationRun {
 public:
  /// Told of each event before the coordinator is.
  using EventSink = std::function<void(const LoggedEvent&)>;

  /// `client_states`: those of the run that `start` is of, one behind the other.
  FederationRun(const Federation& federation, FederationState start, int threads, EventSink sink = {},
                std::span<const float> client_states = {});

  /// Runs until a round is concluded. Nothing where all rounds are done (finished()), or the federation gave up
  /// (gave_up()), or where `stop` said so before a client's task: the state is then still that of the last concluded
  /// round, as after a TransportError, and this run goes no further.
  std::optional<RoundRecord> next_round(const std::function<bool()>& stop = {});

  /// Whether there is no more to do.
  bool finished() const { return finished_; }
  /// Whether it ended after too many abandoned rounds in a row.
  bool gave_up() const { return gave_up_; }
  /// The most tasks that so many threads play ahead at once.
  static int largest_wave(int threads);

  /// The last concluded version.
  const FederationState& state() const { return coordinator_.state(); }
  /// What the clients in state().counted keep; good until the next round is concluded.
  ClientStateViews client_states() const { return players_.states().views(state()); }

 private:
  /// False where `stop` said so.
  bool next_event(const std::function<bool()>& stop);
  /// Whether it was played to its end.
  bool play_wave(const std::function<bool()>& stop);
  void hand_over(const DueAnswer& due);
  /// `answer`: what the event is about; null where it is about no client.
  void take(const Event& event, const DueAnswer* answer);
  void act(Action& action, const DueAnswer* answer);
  void queue_task(const SendTask& send);
  /// Nobody waits for the rest of a round: whoever trains is told to stop, and what was played ahead never happened.
  void drop_rest_of(std::uint32_t round);
  void answer_client(const DueAnswer* answer, const Message& message);
  void tell(std::string failure);

  const Federation& federation_;
  std::unique_ptr<Transport> transport_;
  Players players_;
  Coordinator coordinator_;
  EventSink sink_;
  EventQueue queue_;
  std::vector<DueAnswer*> wave_;
  std::deque<ReceivedUpdate> boxes_;  // where played updates wait for their turn; used over and over
  std::vector<ReceivedUpdate*> free_boxes_;
  std::shared_ptr<const CohortTask> task_;  // what the cohort gets now
  std::vector<Action> actions_;
  std::vector<std::string> failures_;
  Traffic traffic_;  // of this round
  Bytes frame_;
  std::optional<RoundReport> concluded_;
  double time_ = 0;
  bool started_ = false;
  bool finished_ = false;
  bool gave_up_ = false;
};

}  // namespace anybit
