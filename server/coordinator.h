#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "nn/parameters.h"
#include "scenarios/round_policy.h"
#include "server/strategies/strategy.h"
#include "wire/message.h"

namespace anybit {

// What the coordinator is told. Times are seconds, virtual in the simulator, real in the server.
struct Started {};  // begin, go on after a resume, or try again after giving up
struct ClientJoined {
  std::uint32_t client = 0;
  std::vector<std::uint32_t> widths = {};  // Hello::widths, for the log
};
struct UpdateArrived {
  std::uint32_t client = 0;
  const UpdateMessage* update = nullptr;
};  // borrowed for the call
struct ClientLost {
  std::uint32_t client = 0;
  std::string reason;
};
struct TimePassed {};
using Event = std::variant<Started, ClientJoined, UpdateArrived, ClientLost, TimePassed>;

/// What a round came to. All its clients: clients + failed + released = selected at its beginning + replaced.
struct RoundReport {
  std::uint32_t round = 0;     // 1-based, abandoned ones counted, too
  std::uint32_t version = 0;   // after it
  std::uint32_t clients = 0;   // valid updates; they count unless the round is abandoned
  std::uint32_t failed = 0;    // lost or refused
  std::uint32_t released = 0;  // had not answered when the round ended
  std::uint32_t replaced = 0;  // of the failed: those in whose place another client came
  double train_loss = 0;       // mean over valid updates, weighted by examples
  bool abandoned = false;      // fewer than the minimum: nothing changed, the version least of all
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
/// Send TimePassed once `time` is reached; takes the place of an earlier wish. A late one or one too many does no harm.
struct WakeAt {
  double time = 0;
};
struct ConcludeRound {
  RoundReport report;
};
/// No more rounds: all versions are made, or policy.give_up rounds in a row were abandoned.
struct EndFederation {
  bool gave_up = false;
};
using Action = std::variant<SendTask, SendAcknowledge, SendReject, Release, WakeAt, ConcludeRound, EndFederation>;

/// Frozen settings of a federation.
struct FederationPlan {
  std::uint64_t run = 0;
  std::uint64_t seed = 1;
  std::uint32_t clients = 1;
  std::uint32_t cohort = 1;
  std::uint32_t rounds = 1;  // versions to make
  RoundPolicy policy = {};
  std::shared_ptr<const Layout> layout;
  std::vector<int> broadcast;  // tensors of a downlink, ascending
  std::vector<int> uploaded;   // tensors that an update may name, ascending
  const Codec* uplink = nullptr;
  const Codec* downlink = nullptr;
  const Strategy* strategy = nullptr;
  bool client_state =
      false;                 // clients keep something between rounds: who counted when is remembered, and tasks name it
  int threads = 1;           // the most that share one update of a large model; results do not depend on it
  std::uint32_t chunks = 1;  // chunks_of_batch(): for a client that holds most of its round; 1: nobody is cut
  /// How many examples a client holds, a pure function for the whole run; asked only where chunks > 1.
  std::function<std::uint32_t(std::uint32_t client)> examples = {};
};

/// The last round in which an update of a client counted.
struct CountedClient {
  std::uint32_t client = 0;
  std::uint32_t counted = 0;  // 1 + TaskId::round
  bool operator==(const CountedClient&) const = default;
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
};

/// 1 + the last round in which an update of the client counted; 0: none did.
std::uint32_t counted(const FederationState& state, std::uint32_t client);

/// The federation without I/O: no clock, no socket, no thread of its own (DESIGN D8). The simulator, the server
/// process, the replay and the tests drive this one class. Synchronous rounds, by plan.policy: a round selects clients
/// for its cohort and is over when as many updates count as the cohort has members, when nobody is outstanding, at its
/// deadline, or once it cannot reach its minimum any more; with fewer updates than the minimum it is abandoned. A
/// client that fails early enough is replaced by the next of the round's order.
///
/// What holds whatever the driver sends, in whatever order, how often it may be, and whatever time it says:
///  - an update counts at most once, and only for the task that it answers: this run, this round, this client, and
///  trained from this round's parameters, which a server that went back to an earlier checkpoint may make others;
///  - within one history of states a task's name is never used again: rounds that were abandoned have numbers of their
///  own. Who goes back to an earlier state uses names again, told apart by the digest of the parameters;
///  - each client of a round ends exactly once, as counted, as failed (another may then come in its place) or as
///    released, and nobody is in a round twice; see RoundReport for the sum;
///  - at most as many updates count as the cohort has members, and a round with fewer than the minimum makes no
///  version;
///  - the parameters of a version are a function of the one before and of the set of updates that counted, not of the
///    order of arrival; an abandoned round changes neither parameters nor the strategy's state;
///  - who is selected, and who would replace whom, is a function of (seed, round) and of the order of failures;
///  - where clients keep state, a task names the last round in which its client counted: known once that round is
///  concluded with a version, never touched by one that is abandoned;
///  - an update for the round in progress is answered: acknowledged (a double too) or rejected with a reason;
///  - an answer to another task ("late", another run, somebody else's) is rejected and changes nothing;
///  - it never waits in silence: after each event since Started a client is outstanding or it has stopped, and where
///    there is a deadline it has asked to be woken then. So a round ends after one answer or loss per outstanding
///    client, or at its deadline: the driver owes a ClientLost for each client that it gives up, and TimePassed when it
///    was asked for it;
///  - a run ends: after plan.rounds versions, or policy.give_up abandoned rounds in a row.
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

  /// Between two rounds (at each ConcludeRound): all that a checkpoint needs.
  const FederationState& state() const;
  /// The clients that a round (0-based) selects, ascending: sampled without replacement, a pure function of (seed,
  /// round); costs O(selected), whatever the number of clients.
  static std::vector<std::uint32_t> cohort(const FederationPlan& plan, std::uint32_t round);

 private:
  struct Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace anybit
