#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "nn/parameters.h"
#include "server/strategies/strategy.h"
#include "wire/message.h"

namespace anybit {

// What the coordinator is told. Times are seconds, virtual in the simulator, real in the server.
struct Started {};  // begin, or go on after a resume
struct ClientJoined {
  std::uint32_t client = 0;
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

/// What a round came to.
struct RoundReport {
  std::uint32_t round = 0;    // 1-based: the version that it made
  std::uint32_t clients = 0;  // updates that count
  std::uint32_t failed = 0;   // lost or refused
  double train_loss = 0;      // mean over counted updates, weighted by examples
  bool abandoned = false;     // too few updates: the parameters did not change, the version did
};

// What it answers.
struct SendTask {
  std::uint32_t client = 0;  // the receiver, as in task.client
  TaskId task;
  std::shared_ptr<const Bytes> parameters;  // downlink code of plan.broadcast; one buffer for all that get the same
  std::uint32_t chunks = 1;                 // that the client cuts each batch into (wire/chunks.h)
};
struct SendAcknowledge {
  TaskId task;
};
struct SendReject {
  TaskId task;
  std::string reason;
};
struct ConcludeRound {
  RoundReport report;
};
struct Stop {};
using Action = std::variant<SendTask, SendAcknowledge, SendReject, ConcludeRound, Stop>;

/// Frozen settings of a federation.
struct FederationPlan {
  std::uint64_t run = 0;
  std::uint64_t seed = 1;
  std::uint32_t clients = 1;
  std::uint32_t cohort = 1;
  std::uint32_t rounds = 1;
  std::shared_ptr<const Layout> layout;
  std::vector<int> broadcast;  // tensors of a downlink, ascending
  std::vector<int> uploaded;   // tensors that an update may name, ascending
  const Codec* uplink = nullptr;
  const Codec* downlink = nullptr;
  const Strategy* strategy = nullptr;
  int threads = 1;           // the most that share one update of a large model; results do not depend on it
  std::uint32_t chunks = 1;  // chunks_of_batch(): for a client that holds most of its round; 1: nobody is cut
  /// How many examples a client holds, a pure function for the whole run; asked only where chunks > 1.
  std::function<std::uint32_t(std::uint32_t client)> examples = {};
};

/// All that a checkpoint must hold of the federation.
struct FederationState {
  std::uint32_t version = 0;  // rounds committed
  Parameters global;
  FloatBuffer strategy_state;  // plan.strategy->state_buffers() buffers of the layout's size; empty: zeros
};

/// The federation without I/O: no clock, no socket, no thread of its own (DESIGN D8). The simulator, the server
/// process, the replay and the tests drive this one class. Synchronous rounds: a round is over when every client of its
/// cohort has answered or is lost; without a single valid update it is abandoned.
///
/// What holds whatever the driver sends, in whatever order, how often it may be:
///  - an update counts at most once, and only for the task that it answers: this run, this round, this client;
///  - each client of a round's cohort ends as counted or as failed, exactly once: clients + failed = cohort size;
///  - the parameters of a version are a function of the counted updates alone, not of the order of arrival;
///  - an update for the round in progress is answered: acknowledged (a double too) or rejected with a reason;
///  - an answer to another task ("late", another run, somebody else's) is rejected and changes nothing;
///  - a round that has begun ends after one answer or loss per outstanding client: the driver owes a ClientLost for
///    each client that it gives up; the coordinator itself never waits for time.
/// Actions are in order: a round's ConcludeRound comes before the tasks of the next, so a driver that writes its
/// checkpoint when it meets it has committed the round before anybody hears of the next one.
class Coordinator {
 public:
  /// Throws std::invalid_argument where plan and state do not fit.
  Coordinator(FederationPlan plan, FederationState state);
  ~Coordinator();

  /// Takes one event and appends what is to be done, in order. A client that joins while its task is outstanding gets
  /// the same task again.
  void handle(const Event& event, double time, std::vector<Action>& actions);

  /// Between two rounds (at each ConcludeRound): all that a checkpoint needs.
  const FederationState& state() const;
  /// The clients of a round (0-based version), ascending: sampled without replacement, a pure function of (seed,
  /// round); costs O(cohort), whatever the number of clients.
  static std::vector<std::uint32_t> cohort(const FederationPlan& plan, std::uint32_t round);

 private:
  struct Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace anybit
