#pragma once

#include <memory>
#include <optional>
#include <string>

#include "server/selection.h"
#include "server/version_maker.h"

namespace anybit {

/// Draws the clients of a round (0-based) among those that can be reached at `now`.
Selection select_clients(const FederationPlan& plan, std::uint32_t round, double now);

/// Synchronous rounds, by plan.policy: a round selects clients for its cohort among those that can be reached, and is
/// over when as many updates count as the cohort has members, when nobody is outstanding, at its deadline, or once it
/// cannot reach its minimum any more; with fewer updates than the minimum it is abandoned. A client that fails early
/// enough is replaced by the next of the round's order. Where fewer than the minimum can be reached at once, a round
/// waits.
///
/// Beside what Coordinator promises:
///  - a round with fewer updates than the minimum makes no version, and changes neither parameters nor the strategy's
///    state;
///  - who is selected, and who would replace whom, is a function of (seed, round), of the time where not all can be
///    reached, and of the order of failures;
///  - a round ends after one answer or loss per outstanding client, or at its deadline.
class SynchronousRounds final : public Rounds {
 public:
  explicit SynchronousRounds(VersionMaker& maker) : maker_(maker) {}

  void handle(const Event& event, double now, std::vector<Action>& actions) override;

 private:
  void take(const Started& event, std::vector<Action>& actions);
  void take(const ClientJoined& event, std::vector<Action>& actions);
  void take(const UpdateArrived& event, std::vector<Action>& actions);
  void take(const ClientLost& event, std::vector<Action>& actions);
  void take(const TimePassed& event, std::vector<Action>& actions);

  TaskId task(std::uint32_t client) const { return {maker_.plan.run, maker_.state.round, client}; }
  SendTask send(std::uint32_t client, double since) const;
  Standing* standing(std::uint32_t client) { return running_ ? selection_.find(client) : nullptr; }
  void begin_round(std::vector<Action>& actions);
  void wait_for_clients(std::vector<Action>& actions);
  void set_times(std::vector<Action>& actions);
  std::optional<std::uint32_t> choose_cut() const;
  void settle(Standing& standing, Standing how, std::vector<Action>& actions, bool replaceable = true);
  void replace(std::vector<Action>& actions);
  bool is_over() const;
  void conclude(std::vector<Action>& actions, bool at_deadline = false);
  std::vector<CountedClient> counted_clients() const;
  std::string add(const UpdateArrived& event);
  std::string misdirected(const UpdateArrived& event, const Standing* found) const;

  VersionMaker& maker_;
  double now_ = 0;
  bool running_ = false;               // a round is in progress, and what follows is about it
  std::optional<double> waits_until_;  // for clients, before a round can begin
  double round_over_ = 0;              // when the one before was
  double began_ = 0;
  Selection selection_;
  std::optional<std::uint32_t> cut_;  // the selected client whose batches are cut
  std::uint32_t outstanding_ = 0;
  std::uint32_t failed_ = 0;
  std::uint32_t replaced_ = 0;
  double longest_ = 0;            // from a client's coming by to its update that counts
  double deadline_ = kNever;      // when it ends at the latest
  double replaceable_until_ = 0;  // whoever fails before is replaced
  Downlink downlink_;
};

}  // namespace anybit
