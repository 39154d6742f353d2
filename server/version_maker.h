#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "server/aggregate.h"
#include "server/coordinator.h"

namespace anybit {

/// What synchronous and asynchronous rounds share: the plan and the state, the sum of the updates that count, and the
/// step from them to the next version.
class VersionMaker {
 public:
  /// Throws std::invalid_argument where plan and state do not fit.
  VersionMaker(FederationPlan plan, FederationState state);

  const FederationPlan plan;
  FederationState state;
  RoundSum sum;

  bool is_done() const { return state.version == plan.rounds; }
  /// The current version, encoded for its way down. `number` names the codec's draws.
  Downlink encode(std::uint32_t number) const;
  /// How much an update counts beside others.
  double weight(const UpdateArrived& arrived) const;
  /// Applies the sum, and notes for clients that keep state that their updates counted. `counted`: ascending by client.
  void make_version(const std::vector<CountedClient>& counted);
  /// How long after `since` the client of a task comes by: drawn from the part of an expected round that the policy
  /// spreads them over (pace steering: Bonawitz et al. 2019).
  double delay(const TaskId& task) const;
  /// A round took so long from its first task on.
  void note_length(double seconds);

 private:
  void note_counted(const std::vector<CountedClient>& counted);
};

/// Throws std::invalid_argument where a state, of a checkpoint say, is none of this plan's.
void check_state(const FederationPlan& plan, const FederationState& state);

/// One of the two ways from version to version. Appends what is to be done to `actions`, in order.
class Rounds {
 public:
  virtual ~Rounds() = default;
  virtual void handle(const Event& event, double now, std::vector<Action>& actions) = 0;
  /// Writes into the state what is not written at each version, as it was at the last one.
  virtual void complete_state() {}
};

std::unique_ptr<Rounds> make_synchronous_rounds(VersionMaker& maker);
/// Needs plan.asynchrony.
std::unique_ptr<Rounds> make_asynchronous_rounds(VersionMaker& maker);

/// The earliest time from `now` on at which so many clients of the plan can be reached at once. Infinite: not so many
/// ever, or not before all have come and gone plan.policy.give_up times, nor within 2^26 comings and goings of anybody.
/// Asks every client, and keeps two numbers for each.
double time_until_enough(const FederationPlan& plan, std::uint32_t enough, double now);

}  // namespace anybit
