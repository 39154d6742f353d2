#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/coordinator.h"
#include "server/federation.h"
#include "server/metrics_text.h"
#include "server/pace_steering.h"
#include "server/postponed_answers.h"
#include "server/record/progress.h"
#include "server/record/run_recorder.h"
#include "server/roster.h"
#include "server/sessions.h"

namespace anybit {

/// What a server decides beside the scenario.
struct ServerSettings {
  /// How long a client may be away that has a task, be it that it left or that it never came.
  std::chrono::milliseconds grace{std::chrono::minutes(5)};
  /// How long a client that is here may take to answer an offer, where this is longer than the grace.
  std::chrono::milliseconds answer{std::chrono::minutes(1)};
  /// The most examples that a client with data of its own may claim to have.
  std::uint32_t most_examples = 1'000'000;
  /// Whether there was a run in the run directory before: until this process has concluded a round, clients may be at
  /// work on the tasks that it gives, and all are missed that have not come back.
  bool had_run = false;
  int threads = 1;  // the most that share the sum of a large model
  /// Told what the server is at, whenever that changes: selecting (until a client has a task), training,
  /// staging (an upload is being read), committing, committed; at last over.
  std::function<void(std::string_view)> on_phase = [](std::string_view) {};
  /// Called again and again while it waits, after every event and ten times a second.
  std::function<void()> on_turn = [] {};
};

/// A federation over sockets in real time (DESIGN D8): drives the coordinator by what happens on the sessions, and the
/// clock. A round is committed (its checkpoint is on the disk) before anybody hears of the next one. While a round is
/// evaluated the sessions are served; what would be sent waits, and so does what clients say of tasks that go on.
/// What clients were told, and what is awaited of them, is in the deliveries: one for each task that the coordinator
/// has given and not seen the end of, whatever the rounds are.
class FederationServer final : public SessionListener {
 public:
  using Stop = std::function<bool()>;
  using Clock = std::chrono::steady_clock;

  /// Borrows all. `sessions` must hand its events to this object, which answers from run() on. Event times go on from
  /// `last_time`. They stand still until policy.minimum clients have come (asynchronous: the first), so that no
  /// deadline passes before there is anybody to miss it, and while a round is evaluated and committed, so that the next
  /// one's does not pay for it. Whoever is lost meanwhile is not replaced: the time for that would never end.
  FederationServer(const Federation& federation, const ServerSettings& settings, Sessions& sessions,
                   RunRecorder& recorder, Progress& progress, FederationState start, double last_time);

  /// Runs to the end and writes the model; or until the federation gives up or `stop` says so. True where all rounds
  /// are done.
  bool run(const Stop& stop);
  /// Whether it ended without all rounds.
  bool gave_up() const { return gave_up_; }

  const FederationState& state() const { return coordinator_.state(); }
  /// Answers to tasks that were refused; those that came late are none.
  std::uint64_t refused_answers() const { return counts_.refused; }
  /// Who is here, and who is missing: what they were not told they do not know.
  const Roster& roster() const { return roster_; }
  /// Fills in what it knows of itself; leaves the last accuracy as it is where it has measured none.
  void measure(ServerMetrics& metrics) const;

  void joined(ConnectionId connection, const Hello& hello) override;
  void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame, Bytes& storage) override;
  void lost(ConnectionId connection, ClientRange clients, const std::string& reason) override;
  void held(ClientRange clients) override;
  void staging(std::size_t uploads) override;
  void turned_away(const std::string& address, const std::string& reason) override;

 private:
  enum class Phase : std::uint8_t { kAway, kOffered, kSent };

  /// A task that its client has not answered yet.
  struct Delivery {
    SendTask task;  // its parameters until they are sent: should they be needed again, the coordinator has them
    Phase phase = Phase::kAway;
    ConnectionId connection = 0;
    Clock::time_point since;                     // of the phase
    std::optional<Clock::time_point> sent = {};  // by this process, first
    /// It was sent the task before, by this process or one that was killed: it may be at work on it, or sending its
    /// update, and answers the offer with nothing else.
    bool may_have_it = false;
  };

  void take(const Event& event) { take(event, now()); }
  void take(const Event& event, double time);
  void handle(const Event& event, double time);
  void note_conclusions(double time);
  void work_off(const Stop& stop);
  void act(Action& action, const Stop& stop);
  void take_over(const TaskId& task);
  void answer(const TaskId& task, const Message& message);
  void release(const TaskId& task);
  bool take_postponed();
  bool is_over() const { return finished_ || stopped_; }
  void wake_if_due();
  void look_around(const Stop& stop);
  std::chrono::milliseconds turn() const;
  void offer(const SendTask& task);
  void deliver(Delivery& delivery);
  void send_task(Delivery& delivery);
  /// Whether it was evaluated and committed; false where `stop` said so.
  bool commit(const RoundReport& report, const Stop& stop);
  bool finish(const Stop& stop);
  void begin_commit();
  bool serve_during(const std::function<bool()>& work);

  void note_state(const Hello& hello);
  void send_away_older(ClientRange clients);
  void give_tasks_again(ClientRange clients);
  void take_answer(const ClientAnswer& whose, const Message& message);
  void take_accept(ConnectionId connection, const TaskId& id);
  void take_decline(const Decline& decline);
  void take_update(const ClientAnswer& whose, const UpdateMessage& update);
  void take_possible(const ClientAnswer& whose, const UpdateMessage& update);
  void note_maker(const Hello& hello, std::uint32_t client, double time, std::uint32_t round);
  Delivery* delivery_of(const TaskId& id);
  bool is_to_be_offered(const TaskId& id) const;
  /// Whether there is something to be done before anything else may happen to the federation.
  bool is_busy() const { return committing_ || !actions_.empty(); }
  void give_up(std::uint32_t client, const std::string& reason);
  void give_up_the_lost(const Stop& stop);
  void send_away_who_is_not_needed();
  bool has_task(ClientRange clients) const;
  std::string why_lost(const Delivery& delivery) const;
  void tell_of_clients(ClientRange clients, const std::string& what);
  void tell_who_is_awaited();
  void tell_phase();
  void tell_phase(std::string_view phase);

  double now() const;
  void stop_clock();
  void run_clock();
  void remember(RoundRecord record);
  void note_failure(std::string failure);
  bool send(ConnectionId connection, const Message& message);
  bool send(ConnectionId connection, std::shared_ptr<const Bytes> frame, std::shared_ptr<const Bytes> bulk = nullptr);

  const Federation& federation_;
  const ServerSettings settings_;
  const bool is_asynchronous_ = aggregations().make(federation_.scenario.federation.aggregation).has_value();
  Sessions& sessions_;
  RunRecorder& recorder_;
  Progress& progress_;
  Coordinator coordinator_;
  const std::uint32_t first_round_ = coordinator_.progress().round;  // of this process
  Roster roster_;
  PaceSteering pace_;
  std::map<std::uint32_t, Delivery> deliveries_;                // by client
  std::map<std::uint32_t, std::vector<std::uint32_t>> widths_;  // of clients, as this process has logged them
  std::deque<Action> actions_;                                  // to be done, in order
  PostponedAnswers postponed_;
  bool somebody_came_ = false;    // while it was busy
  std::vector<Action> answered_;  // of one event
  const double first_time_;
  const Clock::time_point begin_ = Clock::now();
  std::optional<Clock::time_point> stopped_at_ = begin_;  // since then the clock stands still
  Clock::duration paused_{};                              // before, altogether
  Clock::time_point round_begin_ = Clock::now();
  std::uint32_t updates_ = 0;     // that count for the round
  std::uint64_t bytes_down_ = 0;  // of the round
  std::uint64_t bytes_up_ = 0;
  std::vector<std::string> failures_;  // of the round, the first few
  ServerCounts counts_;                // without the bytes of the round
  std::optional<RoundRecord> last_;
  std::vector<Accuracy> accuracy_;  // as last measured
  std::uint32_t accuracy_version_ = 0;
  std::size_t uploads_read_ = 0;
  std::string_view phase_;
  bool anybody_works_ = false;  // has been sent a task that goes on
  Clock::time_point turned_away_told_{};
  Clock::time_point crowd_told_{};
  bool committing_ = false;
  Clock::time_point next_look_{};
  std::optional<double> wake_;  // when the coordinator is to be told the time
  bool finished_ = false;
  bool gave_up_ = false;
  bool stopped_ = false;
};

}  // namespace anybit
