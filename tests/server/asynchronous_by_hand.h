#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "tests/server/by_hand.h"
#include "tests/server/small_federation.h"

namespace anybit {

/// A federation whose tasks in flight are known by their number.
struct Asynchronous {
  SmallFederation federation;
  std::unique_ptr<Coordinator> coordinator;
  std::map<std::uint32_t, SendTask> tasks;  // in flight, by number
  std::vector<RoundReport> reports;
  std::vector<TaskId> released;
  std::optional<double> wake;
  std::optional<EndFederation> ended;

  Asynchronous(std::uint32_t clients, std::uint32_t cohort, std::uint32_t rounds, Asynchrony asynchrony)
      : federation(clients, cohort, rounds) {
    federation.plan.asynchrony = std::move(asynchrony);
  }

  void start(double time = 0) { start(federation.state(), time); }
  void start(FederationState state, double time = 0) {
    coordinator = std::make_unique<Coordinator>(federation.plan, std::move(state));
    see(handle(*coordinator, Started{}, time));
  }

  std::vector<Action> see(std::vector<Action> actions) {
    for (const SendTask& send : all_of<SendTask>(actions)) tasks.insert_or_assign(send.task.round, send);
    for (const Release& release : all_of<Release>(actions)) {
      released.push_back(release.task);
      tasks.erase(release.task.round);
    }
    for (const ConcludeRound& concluded : all_of<ConcludeRound>(actions)) reports.push_back(concluded.report);
    for (const WakeAt& at : all_of<WakeAt>(actions)) wake = at.time;
    for (const EndFederation& end : all_of<EndFederation>(actions)) ended = end;
    return actions;
  }

  /// The client's change of w and b; it trains nothing else.
  std::vector<Action> answer(std::uint32_t number, std::vector<float> change, double time = 0) {
    return answer_of(number, {0, 1}, {change[0], change[1], change[2], 0}, time);
  }
  /// The client's change of these tensors alone; `change` is of the layout's size.
  std::vector<Action> answer_of(std::uint32_t number, const std::vector<int>& tensors, const std::vector<float>& change,
                                double time = 0) {
    const SendTask task = tasks.at(number);
    tasks.erase(number);
    UpdateMessage update = federation.answer(task.task);
    update.tensors.assign(tensors.begin(), tensors.end());
    update.shares = {};
    update.digest = task.digest;
    Bytes sent;
    federation.codec->encode(*federation.plan.layout, tensors, change, {}, sent);
    update.delta = keep(sent);
    return see(handle(*coordinator, UpdateArrived{task.client, &update}, time));
  }

  std::vector<float> global() const {
    const FloatBuffer& values = coordinator->state().global.values;
    return {values[0], values[1], values[2]};
  }
};

inline Asynchrony fedbuff(std::uint32_t concurrency, bool normalise = false) {
  return {
      .concurrency = concurrency, .max_staleness = 20, .discount = polynomial_discount(0.5), .normalise = normalise};
}

}  // namespace anybit
