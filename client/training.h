#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "client/objectives/objective.h"
#include "data/examples.h"
#include "nn/gradient.h"
#include "nn/optimizers/optimizer.h"
#include "quant/method.h"
#include "scenarios/scenario.h"
#include "wire/message.h"

namespace anybit {

/// What is trained: a network as its method rewrites it, and the parameters of both.
struct NetworkPlan {
  std::shared_ptr<const Network> network;
  std::shared_ptr<const Layout> layout;
  Method method;
};

/// What every client of a run shares: made once from the scenario, then read only.
struct TrainingPlan : NetworkPlan {
  TrainingPlan() = default;
  explicit TrainingPlan(NetworkPlan trained) : NetworkPlan(std::move(trained)) {}

  std::unique_ptr<const Objective> objective;  // null: plain
  std::unique_ptr<const Optimizer> optimizer;
  std::unique_ptr<const Codec> uplink;
  std::unique_ptr<const Codec> downlink;
  std::vector<int> broadcast;  // tensors of a downlink
  std::vector<int> uploaded;   // tensors that a client may name in an update
  std::uint64_t seed = 1;
  int epochs = 1;
  int batch = 32;
  std::uint32_t rounds = 1;
  std::uint32_t largest_client = 0;  // most examples that a client played here holds; to reserve for
};

/// The part of the plan that needs only model, method and fleet. ScenarioError for a model that does not take the
/// images, ScenarioErrors for what the method refuses: the network, or classes of devices.
NetworkPlan make_network_plan(const Scenario& scenario, Shape input, int classes);

/// Builds the plan; throws likewise for parts that do not fit each other.
TrainingPlan make_plan(const Scenario& scenario, Shape input, int classes);

/// One thread's means to play any client, one after the other (DESIGN D2). After the first client, and the first whose
/// batches are cut, it allocates nothing of ours.
class Trainer {
 public:
  explicit Trainer(const TrainingPlan& plan);
  ~Trainer();

  /// Trains on the client's examples and fills `update`, whose delta is a view of this trainer's bytes that is good
  /// until its next training. Returns "" or the reason why the task is refused. Where the task cuts batches into
  /// chunks, at most `threads` threads share them; the bits are the same for any number.
  std::string train(const TaskMessage& task, const ExamplesView& examples, const Normalization& normalization,
                    std::span<const int> device_widths, UpdateMessage& update, int threads = 1);
  /// See Workspace::watch(); batches that are cut are not watched.
  void watch(NodeTimes* times);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anybit
