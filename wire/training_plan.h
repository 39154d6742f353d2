#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "nn/network.h"
#include "nn/objectives/objective.h"
#include "nn/optimizers/optimizer.h"
#include "quant/method.h"
#include "scenarios/scenario.h"
#include "wire/codec.h"

namespace anybit {

// What both ends make of a scenario, each for itself: only parameters cross the network, never what they mean.

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

}  // namespace anybit
