#pragma once

#include <cstdint>
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
struct Started {};                                            // begin, or go on after a resume
struct ClientJoined { std::uint32_t client = 0; };
struct UpdateArrived { std::uint32_t client = 0; const UpdateMessage* update = nullptr; };  // borrowed for the call
struct ClientLost { std::uint32_t client = 0; std::string reason; };
struct TimePassed {};
using Event = std::variant<Started, ClientJoined, UpdateArrived, ClientLost, TimePassed>;

/// What a round came to.
struct RoundReport {
  std::uint32_t round = 0;        // 1-based: the version that it made
  std::uint32_t clients = 0;      // updates that count
  std::uint32_t failed = 0;       // lost, refused or late
  double train_loss = 0;          // mean over counted updates, weighted by examples
  bool abandoned = false;         // too few updates: the parameters did not change
};

// What it answers.
struct SendTask { std::uint32_t client = 0; std::shared_ptr<const TaskMessage> task; };  // id.client is the receiver's
struct SendAcknowledge { TaskId task; };
struct SendReject { TaskId task; std::string reason; };
struct ConcludeRound { RoundReport report; };
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
  std::vector<int> broadcast;
  std::vector<int> uploaded;
  const Codec* uplink = nullptr;
  const Codec* downlink = nullptr;
  const Strategy* strategy = nullptr;
};

/// All that a checkpoint must hold of the federation.
struct FederationState {
  std::uint32_t version = 0;      // rounds committed
  Parameters global;
  FloatBuffer strategy_state;
};

/// The federation without I/O: no clock, no socket, no thread (DESIGN D8). The simulator, the server process, the
/// replay and the tests drive this one class. Synchronous rounds.
class Coordinator {
 public:
  Coordinator(FederationPlan plan, FederationState state);
  ~Coordinator();

  /// Takes one event and appends what is to be done, in order.
  void handle(const Event& event, double time, std::vector<Action>& actions);

  const FederationState& state() const;
  /// The clients of a round (0-based version): sampled without replacement, a pure function of (seed, round).
  static std::vector<std::uint32_t> cohort(const FederationPlan& plan, std::uint32_t round);

 private:
  struct Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace anybit
