#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/server/by_hand.h"
#include "tests/server/federation_model.h"

namespace anybit {

/// A coordinator beside the model, fed with the same events. After each of them the actions must be those that the
/// model expects, version and parameters the model's, and the invariants of Coordinator must hold by the actions alone.
/// What does not is a fault; nothing happens after the first.
template <class Federation = Coordinator>
class WatchedFederation {
 public:
  explicit WatchedFederation(const SmallFederation& federation)
      : plan_(federation.plan), coordinator_(federation.plan, federation.state()), model_(federation) {}

  void start(double now) { handle(Started{}, now, model_.start(now)); }
  void deliver(std::uint32_t sender, const UpdateMessage& update, bool valid, double now) {
    const bool answers = model_.is_outstanding(sender) && update.id == TaskId{plan_.run, model_.round(), sender} &&
                         update.digest == digests_[update.id.round];
    answered_ = answers ? std::optional(update.id) : std::nullopt;
    handle(UpdateArrived{sender, &update}, now, model_.update(sender, update, valid, now));
  }
  void lose(std::uint32_t client, double now, bool replaceable = true) {
    if (model_.is_outstanding(client)) end_task({plan_.run, model_.round(), client}, "failed");
    handle(ClientLost{client, "test", replaceable}, now, model_.lose(client, now, replaceable));
  }
  void join(std::uint32_t client, double now) { handle(ClientJoined{client}, now, model_.join(client)); }
  void pass_time(double now) {
    if (wake_ && now >= *wake_) wake_.reset();
    handle(TimePassed{}, now, model_.pass_time(now));
  }

  const std::string& fault() const { return fault_; }
  const FederationModel& model() const { return model_; }
  bool stopped() const { return stopped_; }
  /// When it asked to be woken.
  std::optional<double> wake() const { return wake_; }
  /// What the last event led to.
  const Outcome& last() const { return outcome_; }
  /// Tasks sent since the last call, those sent again among them.
  std::vector<SendTask> take_tasks() { return std::exchange(tasks_, {}); }

 private:
  using Name = std::pair<std::uint32_t, std::uint32_t>;  // round and client
  static Name name(const TaskId& task) { return {task.round, task.client}; }

  void check(bool holds, const std::string& what) {
    if (!holds && fault_.empty()) fault_ = what;
  }

  void handle(const Event& event, double now, const Outcome& expected) {
    if (!fault_.empty()) return;
    actions_.clear();
    coordinator_.handle(event, now, actions_);
    outcome_ = {};
    const bool again = std::holds_alternative<ClientJoined>(event);
    for (const Action& action : actions_) std::visit([&](const auto& what) { take(what, again); }, action);
    check(outcome_ == expected, "the actions are not those that follow");
    check(coordinator_.state().version == model_.version(), "the version is another");
    check(coordinator_.state().round == model_.round(), "the round is another");
    check(std::ranges::equal(coordinator_.state().global.values, model_.global()), "the parameters are others");
    const bool started = !ends_.empty() || stopped_;
    check(!started || stopped_ || open_ > 0, "it waits for nobody");
    check(!started || stopped_ || plan_.policy.deadline == 0 || wake_, "nobody is to wake it at the deadline");
  }

  void take(const SendTask& send, bool again) {
    check(send.client == send.task.client && send.version == coordinator_.state().version, "a task of nobody");
    check(!outcome_.report || send.task.round == outcome_.report->round, "a task of a round that is over");
    check(send.counted == last_counted_[send.client], "a task names another round in which its client counted last");
    outcome_.sent.push_back(send.task);
    tasks_.push_back(send);
    check(digests_.emplace(send.task.round, send.digest).first->second == send.digest, "two parameters of one round");
    stopped_ = false;
    const bool is_new = ends_.emplace(name(send.task), "").second;
    open_ += is_new ? 1 : 0;
    check(is_new != again, "a task is sent under a name that was used");
  }
  void take(const SendAcknowledge& acknowledge, bool) {
    outcome_.acknowledged.push_back(acknowledge.task);
    if (answered_ && *answered_ == acknowledge.task) end_task(acknowledge.task, "counted");
    check(ends_[name(acknowledge.task)] == "counted", "an update is acknowledged that does not count");
  }
  void take(const SendReject& reject, bool) {
    outcome_.rejected.push_back(reject.task);
    if (answered_ && *answered_ == reject.task) end_task(reject.task, "failed");
  }
  void take(const Release& release, bool) {
    outcome_.released.push_back(release.task);
    end_task(release.task, "released");
  }
  void take(const WakeAt& wake, bool) { outcome_.wake = wake_ = wake.time; }
  void take(const ConcludeRound& conclude, bool) {
    const RoundReport& report = conclude.report;
    check(!outcome_.report, "concluded twice");
    check(open_ == 0, "a round ends with an open task");
    outcome_.report = report;
    check(report.clients == counted_ && report.clients <= plan_.cohort, "another number counts");
    check(report.clients + report.failed + report.released == ends_.size() - ended_before_, "a client is lost");
    check(report.abandoned == (counted_ < plan_.policy.minimum), "abandoned, or not, against the minimum");
    if (!report.abandoned && plan_.client_state)
      for (auto task = ends_.lower_bound({report.round - 1, 0}); task != ends_.end(); ++task)
        if (task->second == "counted") last_counted_[task->first.second] = report.round;
    counted_ = 0;
    ended_before_ = ends_.size();
    wake_.reset();
  }
  void take(const EndFederation& end, bool) {
    outcome_.stopped = stopped_ = true;
    outcome_.gave_up = end.gave_up;
  }

  void end_task(const TaskId& task, const std::string& how) {
    const auto found = ends_.find(name(task));
    check(found != ends_.end() && found->second.empty(), "a task that is not open is " + how);
    if (!fault_.empty()) return;
    found->second = how;
    --open_;
    counted_ += how == "counted" ? 1 : 0;
  }

  const FederationPlan& plan_;
  Federation coordinator_;
  FederationModel model_;
  std::vector<Action> actions_;
  Outcome outcome_;
  std::optional<TaskId> answered_;                       // the open task that the update answers
  std::map<Name, std::string> ends_;                     // how each task ended, "" while it is open
  std::size_t ended_before_ = 0;                         // those of earlier rounds
  std::map<std::uint32_t, std::uint32_t> last_counted_;  // by client; 1 + the round
  std::uint32_t counted_ = 0;                            // in this round
  int open_ = 0;
  std::optional<double> wake_;
  std::vector<SendTask> tasks_;
  std::map<std::uint32_t, std::uint32_t> digests_;  // by round
  std::string fault_;
  bool stopped_ = false;
};

}  // namespace anybit
