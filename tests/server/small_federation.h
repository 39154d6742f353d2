#pragma once

#include <memory>
#include <vector>

#include "server/coordinator.h"
#include "tests/wire/kept_bytes.h"

namespace anybit {

/// A federation of a four-parameter model for tests of the server: tensors "w" (2 weights), "b" (a bias) and "mean" (a
/// statistic), float32 codecs, fedavg. What a client answers is a pure function of (round, client), in binary fractions
/// small enough that sums of them are exact in double.
struct SmallFederation {
  std::unique_ptr<Codec> codec = codecs().make({"float32", Options(), {}});
  std::unique_ptr<Strategy> strategy = strategies().make({"fedavg", Options(), {}});
  FederationPlan plan;

  SmallFederation(std::uint32_t clients, std::uint32_t cohort, std::uint32_t rounds) {
    plan.run = 77;
    plan.seed = 5;
    plan.clients = clients;
    plan.cohort = cohort;
    plan.rounds = rounds;
    plan.layout = std::make_shared<const Layout>(
        std::vector<TensorSpec>{{.name = "w", .shape = {2}},
                                {.name = "b", .shape = {1}, .role = Role::kBias},
                                {.name = "mean", .shape = {1}, .role = Role::kStatistic}});
    plan.broadcast = {0, 1, 2};
    plan.uploaded = {0, 1, 2};
    plan.uplink = codec.get();
    plan.downlink = codec.get();
    plan.strategy = strategy.get();
  }

  FederationState state() const { return {.global = Parameters(plan.layout), .strategy_state = {}}; }

  static std::uint32_t examples(std::uint32_t client) { return 1 + client % 4; }
  static double loss(const TaskId& task) { return 1.0 + task.client % 8 + task.round; }
  static float delta(const TaskId& task, std::size_t element) {
    return static_cast<float>(1 + task.client % 16 + 3 * element) * (task.round % 2 == 0 ? 0.25F : -0.125F);
  }

  /// The answer of a client that trained "w" and "mean" in every step and "b" in half of them.
  UpdateMessage answer(const TaskId& task) const {
    UpdateMessage update;
    update.id = task;
    update.layout = plan.layout->digest();
    update.examples = examples(task.client);
    update.steps = 4;
    update.tensors = {0, 2};
    update.shares = {{1, 2}};
    update.loss = loss(task);
    std::vector<float> values(4);
    for (std::size_t i = 0; i < 4; ++i) values[i] = delta(task, i);
    Bytes code;
    codec->encode(*plan.layout, std::vector<int>{0, 2, 1}, values, {}, code);
    update.delta = keep(code);
    return update;
  }
};

}  // namespace anybit
