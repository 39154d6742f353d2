#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "nn/parameters.h"
#include "scenarios/round_policy.h"
#include "server/aggregations/aggregation.h"
#include "server/strategies/strategy.h"
#include "server/weightings/weighting.h"
#include "wire/message.h"

namespace anybit {

// Times are seconds, virtual in the simulator, real in the server.
/// The time of what never happens.
inline constexpr double kNever = std::numeric_limits<double>::infinity();

// What the coordinator is told.
/// Begin, go on after a resume, or try again after giving up.
struct Started {
  bool virtual_time = false;  // for the log: whether a replay finds who can be reached, and when, in the fleet
};
struct ClientJoined {
  std::uint32_t client = 0;
  std::vector<std::uint32_t> widths = {};  // Hello::widths, for the log
};
struct UpdateArrived {
  std::uint32_t client = 0;
  const UpdateMessage* update = nullptr;  // borrowed for the call, as is
  std::span<const int> widths = {};       // what its device says it can run; empty: as plan.widths says
};
struct ClientLost {
  std::uint32_t client = 0;
  std::string reason;
  bool replaceable = true;  // false: nobody comes in its place, though it be early in a synchronous round
};
struct TimePassed {};
using Event = std::variant<Started, ClientJoined, UpdateArrived, ClientLost, TimePassed>;

/// What a round came to. Of a synchronous one all its clients: clients + failed + released = selected at its beginning
/// + replaced. Of an asynchronous version: what happened since the one before.
struct RoundReport {
  std::uint32_t round = 0;     // 1-based, abandoned ones counted, too
  std::uint32_t version = 0;   // after it
  std::uint32_t clients = 0;   // valid updates; they count unless the round is abandoned
  std::uint32_t failed = 0;    // lost or refused
  std::uint32_t released = 0;  // called off: at its end or the deadline, too far behind, or as the run gave up
  std::uint32_t overdue = 0;   // of the released: those that missed the deadline
  std::uint32_t replaced = 0;  // of the failed: those in whose place another client came
  double train_loss = 0;       // mean over valid updates, weighted by examples
  bool abandoned = false;      // fewer than the minimum, or it gave up: nothing changed, the version least of all
  double waited = 0;           // seconds in which too few clients could be reached to begin
  double staleness = 0;        // mean over its updates of the versions that they were behind; asynchronous only
  std::uint32_t most_stale = 0;
  bool operator==(const RoundReport&) const = default;
};

// What it answers.
struct SendTask {
  std::uint32_t client = 0;  // the receiver, as in task.client
  TaskId task;
  std::shared_ptr<const Bytes> parameters;  // downlink code of plan.broadcast; one buffer for all that get the same
  std::uint32_t chunks = 1;                 // that the client cuts each batch into (wire/chunks.h)
  std::uint32_t version = 0;                // that the task starts from
  std::uint32_t counted = 0;                // of its client's own state (TaskMessage::counted)
  std::uint32_t digest = 0;                 // CRC32C of the parameters
  double since = 0;                         // when it was given first; earlier than now after a resume
  double delay = 0;                         // seconds after that at which its client comes by (pace steering)
};
struct SendAcknowledge {
  TaskId task;
};
struct SendReject {
  TaskId task;
  std::string reason;
};
/// The reason where the answer harms nobody: it came when nobody waited for it any more.
inline constexpr const char* kLate = "late";
/// The reason where an update was trained from other parameters than the round's: its client still has the task.
inline constexpr const char* kOtherParameters = "of other parameters";
/// Nobody waits for this task any more. Its client may be told to stop; should it answer, it hears "late".
struct Release {
  TaskId task;
};
/// Send TimePassed once `time` is reached; takes the place of an earlier wish, infinite: of none. A late one or one too
/// many does no harm.
struct WakeAt {
  double time = 0;
};
struct ConcludeRound {
  RoundReport report;
};
/// No more rounds: all versions are made, or it gave up: policy.give_up rounds in a row were abandoned, as many times
/// those at work failed or were overdue since the last asynchronous version, or not enough clients can be reached ever
/// again (foreseeably: time_until_enough()). An asynchronous version that is given up is concluded before, as
/// abandoned, where anything happened since the one before.
struct EndFederation {
  bool gave_up = false;
  bool nobody_left = false;  // the last of these
};
using Action = std::variant<SendTask, SendAcknowledge, SendReject, Release, WakeAt, ConcludeRound, EndFederation>;

/// When clients can be reached, pure functions for the whole run. Empty: always.
struct Reachability {
  std::function<bool(std::uint32_t client, double time)> reachable = {};
  /// The earliest time, not before this one; infinite: never again.
  std::function<double(std::uint32_t client, double time)> next = {};
  /// The first time after this one at which it is not so as it is now; infinite: never.
  std::function<double(std::uint32_t client, double time)> until = {};

  bool operator()(std::uint32_t client, double time) const { return !reachable || reachable(client, time); }
};

/// Frozen settings of a federation.
struct FederationPlan {
  std::uint64_t run = 0;
  std::uint64_t seed = 1;
  std::uint32_t clients = 1;
  std::uint32_t cohort = 1;
  std::uint32_t rounds = 1;  // versions to make
  RoundPolicy policy = {};
  std::optional<Asynchrony> asynchrony = {};  // none: synchronous rounds
  Reachability reachability = {};
  /// Time is virtual, a result like any other: states say it, and pace steering waits in it.
  bool virtual_time = false;
  std::shared_ptr<const Layout> layout;
  std::vector<int> broadcast;  // tensors of a downlink, ascending
  std::vector<int> uploaded;   // tensors that an update may name, ascending
  const Codec* uplink = nullptr;
  const Codec* downlink = nullptr;
  const Strategy* strategy = nullptr;
  /// Clients keep something between rounds: who counted when is remembered, and tasks name it.
  bool client_state = false;
  int threads = 1;           // the most that share one update of a large model; results do not depend on it
  std::uint32_t chunks = 1;  // chunks_of_batch(): for a client that holds most of its round; 1: nobody is cut
  const Weighting* weighting = nullptr;  // null: by examples
  /// Widths that a client's device can run, a pure function; asked only where there is a weighting.
  std::function<std::span<const int>(std::uint32_t client)> widths = {};
  /// How many examples a client holds, a pure function for the whole run; asked only where chunks > 1.
  std::function<std::uint32_t(std::uint32_t client)> examples = {};

  /// After so many abandoned rounds in a row it has given up, and goes on when it is started again. An asynchronous
  /// version is not abandoned before.
  std::uint32_t most_abandoned() const { return asynchrony ? 1 : policy.give_up; }
};

/// The last round in which an update of a client counted.
struct CountedClient {
  std::uint32_t client = 0;
  std::uint32_t counted = 0;  // 1 + TaskId::round
  bool operator==(const CountedClient&) const = default;
};

/// A task that waits for its answer while versions go by.
struct TaskInFlight {
  std::uint32_t client = 0;
  std::uint32_t number = 0;   // TaskId::round
  std::uint32_t version = 0;  // that it starts from
  std::uint32_t reserved = 0;
  double since = 0;  // when it was given
  double delay = 0;  // SendTask::delay
  bool operator==(const TaskInFlight&) const = default;
};

/// The parameters of a version as they were sent.
struct Downlink {
  std::uint32_t version = 0;
  std::uint32_t digest = 0;  // CRC32C
  std::shared_ptr<const Bytes> bytes = {};
};

/// All that a checkpoint must hold of the federation.
struct FederationState {
  std::uint32_t version = 0;    // rounds committed
  std::uint32_t round = 0;      // rounds that are over: those and the abandoned ones
  std::uint32_t abandoned = 0;  // the last so many in a row were
  Parameters global;
  FloatBuffer strategy_state;  // plan.strategy->state_buffers() buffers of the layout's size; empty: zeros
  /// Everybody of whom an update ever counted, ascending by client; only where plan.client_state.
  std::vector<CountedClient> counted = {};
  double time = 0;            // at which the last round was over, and
  double expected_round = 0;  // how long one takes from its first task on, 0: not known; both only in virtual time
  std::uint32_t tasks = 0;    // given so far; asynchronous only, as is what follows
  std::vector<TaskInFlight> in_flight = {};  // ascending by client
  std::vector<Downlink> downlinks = {};      // that those started from, ascending by version
};

/// 1 + the last round in which an update of the client counted; 0: none did.
std::uint32_t counted(const FederationState& state, std::uint32_t client);

class Rounds;
class VersionMaker;

/// The federation without I/O: no clock, no socket, no thread of its own (DESIGN D8). The simulator, the server
/// process, the replay and the tests drive this one class. It makes versions in synchronous rounds
/// (synchronous_rounds.h) or, by plan.asynchrony, from clients that train at any time (asynchronous_rounds.h).
///
/// What holds of both, whatever the driver sends, in whatever order, how often it may be, and whatever time it says:
///  - an update counts at most once, and only for the task that it answers: this run, this round, this client, and
///    trained from that task's parameters, which a server that went back to an earlier checkpoint may make others;
///  - within one history of states a task's name is never used again: rounds that were abandoned have numbers of their
///    own. Who goes back to an earlier state uses names again, told apart by the digest of the parameters;
///  - each task ends exactly once, as counted, as failed (another client may then come in its place) or as released,
///    and nobody is in a round twice;
///  - at most as many updates count for a version as the cohort has members;
///  - the parameters of a version are a function of the one before and of the set of updates that counted, not of the
///    order of arrival;
///  - where clients keep state, a task names the last round in which its client counted: known once that round is
///    concluded with a version, never touched by one that is abandoned;
///  - an update for the round in progress is answered: acknowledged (a double too) or rejected with a reason;
///  - an answer to another task ("late", another run, somebody else's) is rejected and changes nothing;
///  - it never waits in silence: after each event since Started a client is outstanding, or it has asked to be woken
///    when clients can be reached again, or it has stopped; and where there is a deadline it has asked to be woken
///    then. The driver owes a ClientLost for each client that it gives up, and TimePassed when it was asked for it;
///  - a run ends: after plan.rounds versions, or where it gives up (EndFederation).
/// Actions are in order: a round's releases and its ConcludeRound come before the tasks of the next, so a driver that
/// writes its checkpoint when it meets ConcludeRound has committed the round before anybody hears of the next one.
class Coordinator {
 public:
  /// Throws std::invalid_argument where plan and state do not fit.
  Coordinator(FederationPlan plan, FederationState state);
  ~Coordinator();

  /// Takes one event and appends what is to be done, in order. A client that joins while its task is outstanding gets
  /// the same task again. `time` should not run backwards, as wall clocks do: a round then takes so much longer.
  void handle(const Event& event, double time, std::vector<Action>& actions);

  /// As of the last ConcludeRound: all that a checkpoint needs. Costs O(tasks in flight) once a version.
  const FederationState& state() const;
  /// The same, where tasks in flight and their downlinks may be those of an older version. Costs nothing.
  const FederationState& progress() const;
  /// The clients that a synchronous round (0-based) selects where all can be reached, ascending: sampled without
  /// replacement, a pure function of (seed, round); costs O(selected), whatever the number of clients.
  static std::vector<std::uint32_t> cohort(const FederationPlan& plan, std::uint32_t round);

 private:
  std::unique_ptr<VersionMaker> maker_;
  std::unique_ptr<Rounds> rounds_;
};

}  // namespace anybit
