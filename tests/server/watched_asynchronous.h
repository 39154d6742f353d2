#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "server/client_permutation.h"
#include "tests/server/random_schedules.h"
#include "tests/server/small_federation.h"

namespace anybit {

struct OpenTask {
  std::uint32_t client = 0;
  std::uint32_t version = 0;
  std::uint32_t digest = 0;
  float statistic = 0;  // as its client has received it
  double since = 0;
};

struct Arrived {
  TaskId task;
  std::uint32_t staleness = 0;
  float shift = 0;
};

/// Who has which task, and what waits.
struct Account {
  std::map<std::uint32_t, OpenTask> open;  // by number
  std::vector<Arrived> buffer;
  std::vector<float> global = std::vector<float>(4, 0.0F);
  std::map<std::uint32_t, std::uint32_t> counted;  // by client, 1 + the number
  std::uint32_t version = 0;
  std::uint32_t rounds = 0;  // versions, and those that were given up
  std::uint32_t next = 0;
  std::uint32_t failed = 0, released = 0, overdue = 0;  // since the last version
  std::uint32_t in_vain = 0;                            // and since the start
  std::uint32_t abandoned = 0;                          // versions, since the last that was made

  bool is_idle(std::uint32_t client) const {
    return std::ranges::none_of(open, [&](const auto& one) { return one.second.client == client; }) &&
           std::ranges::none_of(buffer, [&](const Arrived& one) { return one.task.client == client; });
  }
};

/// An update on its way.
struct Letter {
  std::uint32_t sender = 0;
  UpdateMessage update;
  bool valid = true;
};

/// A coordinator of asynchronous rounds beside a plain account of who has which task, fed with the same events. After
/// each of them what Coordinator promises must hold by the actions alone. What does not is a fault.
template <class Federation = Coordinator>
class WatchedAsynchronous {
 public:
  /// Borrows both; counts what happens.
  WatchedAsynchronous(const SmallFederation& federation, Counts& counts)
      : plan_(federation.plan),
        coordinator_(std::make_unique<Federation>(plan_, federation.state())),
        counts_(counts) {}

  /// For the first time, or after giving up.
  void start(double now) {
    now_ = now;
    account_.in_vain = 0;
    take(Started{});
  }

  /// Goes on from the last version.
  void kill(double now) {
    now_ = now;
    const FederationState state = coordinator_->state();
    coordinator_ = std::make_unique<Federation>(plan_, state);
    account_ = saved_;
    account_.in_vain = 0;
    check(state.in_flight.size() == account_.open.size(), "a state lacks tasks");
    for (auto& [number, task] : account_.open) task.since = now_;
    wake_.reset();
    again_ = account_.open;
    take(Started{});
  }

  void lose(std::uint32_t client, double now) {
    now_ = now;
    for (const auto& [number, task] : account_.open)
      if (task.client == client) {
        fail(number);
        break;
      }
    take(ClientLost{client, "test"});
  }

  void join(std::uint32_t client, double now) {
    now_ = now;
    for (const auto& [number, task] : account_.open)
      if (task.client == client) again_.emplace(number, task);
    take(ClientJoined{client});
    check(again_.empty(), "who comes again is not sent its task");
  }

  void pass_time(double now) {
    now_ = now;
    if (wake_ && now_ >= *wake_) wake_.reset();
    const auto is_overdue = [&](const auto& one) { return one.second.since + plan_.policy.deadline <= now_; };
    // Where a clock was set back, one that was given later may be overdue before: it is its elders' turn first.
    if (plan_.policy.deadline > 0)
      for (auto one = account_.open.begin(); one != account_.open.end() && is_overdue(*one); ++one)
        overdue_.insert(one->first);
    take(TimePassed{});
    overdue_.clear();
    const auto oldest = account_.open.begin();
    check(plan_.policy.deadline == 0 || oldest == account_.open.end() || !is_overdue(*oldest), "one is overdue");
  }

  void deliver(const Letter& letter, double now) {
    now_ = now;
    const TaskId& id = letter.update.id;
    const auto open = account_.open.find(id.round);
    const bool is_own = id.run == plan_.run && id.client == letter.sender;
    const bool answers = is_own && open != account_.open.end() && open->second.client == letter.sender &&
                         open->second.digest == letter.update.digest;
    const bool is_double =
        is_own && std::ranges::any_of(account_.buffer, [&](const Arrived& one) { return one.task == id; });
    // What is spoiled may have become the name of another's task; the update itself is then a good one.
    const bool is_valid = letter.valid || (letter.update.examples > 0 && letter.update.delta.size() > 5);
    acknowledged_ = is_double || (answers && is_valid);
    answered_ = true;
    if (answers && is_valid) {
      const OpenTask& task = open->second;
      account_.buffer.push_back({id, account_.version - task.version, task.statistic - account_.global[3]});
      account_.open.erase(open);
      ++counts_["counted"];
    } else if (answers) {
      fail(id.round);
    } else {
      ++counts_[is_double ? "double" : "late or strange"];
    }
    take(UpdateArrived{letter.sender, &letter.update});
    check(answers || actions_.size() == 1, "an update that answers no task moves something");
  }

  const std::string& fault() const { return fault_; }
  const Account& account() const { return account_; }
  bool stopped() const { return stopped_; }
  /// When it asked to be woken.
  std::optional<double> wake() const { return wake_; }
  /// Tasks sent since the last call, those sent again among them.
  std::vector<SendTask> take_tasks() { return std::exchange(tasks_, {}); }

 private:
  void check(bool holds, const std::string& what) {
    if (!holds && fault_.empty()) fault_ = what;
  }

  void fail(std::uint32_t number) {
    account_.open.erase(number);
    ++account_.failed;
    ++account_.in_vain;
  }

  void take(const Event& event) {
    actions_.clear();
    if (std::holds_alternative<Started>(event)) stopped_ = false;
    std::size_t first = 0;
    coordinator_->handle(event, now_, actions_);
    if (std::exchange(answered_, false)) {
      check(!actions_.empty() && std::holds_alternative<SendAcknowledge>(actions_[0]) == acknowledged_ &&
                std::holds_alternative<SendReject>(actions_[0]) != acknowledged_,
            "an update is not answered, or not as it should be");
      first = 1;
    }
    for (std::size_t i = first; i < actions_.size() && fault_.empty(); ++i)
      std::visit([&](const auto& what) { see(what); }, actions_[i]);
    const bool is_over = account_.version == plan_.rounds || gives_up();
    check(stopped_ == is_over, "it ends, or does not");
    check(!stopped_ || (account_.buffer.empty() && account_.failed + account_.released == 0),
          "it ends without a record");
    check(account_.open.size() == (stopped_ ? 0 : plan_.asynchrony->concurrency), "others are at work");
    if (plan_.policy.deadline > 0 && !stopped_) check(wake_.has_value(), "nobody is to wake it at the deadline");
  }

  void see(const SendTask& sent) {
    const std::uint32_t number = sent.task.round;
    check(sent.task == TaskId{plan_.run, number, sent.client}, "a task of nobody");
    check(sent.counted == account_.counted[sent.client], "a task names another one in which its client counted last");
    if (const auto known = again_.find(number); known != again_.end()) {
      check(known->second.client == sent.client && known->second.digest == sent.digest, "another task under its name");
      again_.erase(known);
      tasks_.push_back(sent);
      return;
    }
    check(number == account_.next++, "a task's number is used again, or passed over");
    check(sent.version == account_.version, "a task of another version");
    check(account_.is_idle(sent.client), "a client has two tasks, or one while its update waits");
    const ClientPermutation order({.seed = plan_.seed, .purpose = Purpose::kCohort, .round = number}, plan_.clients);
    std::uint32_t place = 0;
    while (!account_.is_idle(order.client(place))) ++place;
    check(order.client(place) == sent.client, "somebody else is asked");
    account_.open[number] = {sent.client, sent.version, sent.digest, account_.global[3], now_};
    tasks_.push_back(sent);
  }
  void see(const Release& release) {
    const auto open = account_.open.find(release.task.round);
    check(open != account_.open.end() && open->second.client == release.task.client, "no open task is released");
    if (!fault_.empty()) return;
    const bool is_overdue = overdue_.contains(release.task.round);
    const bool is_stale = account_.buffer.size() == plan_.cohort;  // the version that it makes is concluded behind
    check(is_stale || is_overdue || gives_up(), "a task is called off without a reason");
    account_.in_vain += is_overdue ? 1 : 0;
    account_.overdue += is_overdue ? 1 : 0;
    counts_[is_stale ? "stale" : is_overdue ? "overdue" : "called off"] += 1;
    ++account_.released;
    account_.open.erase(open);
  }
  void see(const ConcludeRound& concluded) {
    const RoundReport& report = concluded.report;
    check(report.abandoned == gives_up(), "it gives a version up, or does not");
    check(report.abandoned ? account_.open.empty() : account_.buffer.size() == plan_.cohort, "it is not over");
    check(report.clients == account_.buffer.size(), "another number makes a version");
    check(report.failed == account_.failed && report.released == account_.released, "a task is lost");
    check(report.overdue == account_.overdue, "others missed their deadline");
    check_staleness(report);
    check(report.waited == 0, "it waits, though all can be reached");
    check(report.round == ++account_.rounds && coordinator_->state().round == account_.rounds, "the round's number");
    account_.version += report.abandoned ? 0 : 1;
    check(report.version == account_.version && coordinator_->state().version == account_.version, "its number");
    account_.abandoned = report.abandoned ? account_.abandoned + 1 : 0;
    check(coordinator_->state().abandoned == account_.abandoned, "another number was abandoned");
    if (report.abandoned)
      check(std::ranges::equal(coordinator_->state().global.values, account_.global), "it changes the parameters");
    else
      count_updates();
    account_.buffer.clear();
    account_.failed = account_.released = account_.overdue = 0;
    if (!report.abandoned) account_.in_vain = 0;
    for (const auto& [number, task] : account_.open)
      check(account_.version - task.version <= plan_.asynchrony->max_staleness, "one is too far behind");
    saved_ = account_;
    ++counts_[report.abandoned ? "abandoned" : "versions"];
  }
  void see(const WakeAt& wake) { wake_ = std::isinf(wake.time) ? std::nullopt : std::optional(wake.time); }
  void see(const EndFederation&) { stopped_ = true; }
  void see(const SendAcknowledge&) { check(false, "an answer to nothing"); }
  void see(const SendReject&) { check(false, "an answer to nothing"); }

  bool gives_up() const {
    const std::uint32_t most = std::max(plan_.cohort, plan_.asynchrony->concurrency) * plan_.policy.give_up;
    return account_.in_vain >= most;
  }

  void check_staleness(const RoundReport& report) {
    std::uint32_t sum = 0, most = 0;
    for (const Arrived& one : account_.buffer) {
      sum += one.staleness;
      most = std::max(most, one.staleness);
    }
    const double mean = account_.buffer.empty() ? 0 : 1.0 * sum / static_cast<double>(account_.buffer.size());
    check(report.staleness == mean && report.most_stale == most, "its updates are more behind, or less");
  }

  void count_updates() {
    join_updates();
    for (const Arrived& one : account_.buffer) account_.counted[one.task.client] = one.task.round + 1;
  }

  /// Takes the new parameters over, once they are the mean: all but the statistic discounted by staleness.
  void join_updates() {
    const std::span<const float> got = coordinator_->progress().global.values;
    for (std::size_t i = 0; i < 4; ++i) {
      double sum = 0;
      for (const Arrived& one : account_.buffer) {
        const double delta = static_cast<double>(SmallFederation::delta(one.task, i));
        const double discount = 1 / std::sqrt(1.0 + one.staleness);
        sum += i == 3 ? delta + static_cast<double>(one.shift) : delta * discount;
      }
      const double expected = static_cast<double>(account_.global[i]) + sum / plan_.cohort;
      check(std::abs(static_cast<double>(got[i]) - expected) < 1e-4, "the parameters are others");
    }
    account_.global.assign(got.begin(), got.end());
  }

  const FederationPlan& plan_;
  std::unique_ptr<Federation> coordinator_;
  Counts& counts_;
  Account account_;
  Account saved_;                            // of the last version
  std::map<std::uint32_t, OpenTask> again_;  // that are to be sent once more
  std::vector<SendTask> tasks_;
  std::vector<Action> actions_;
  std::optional<double> wake_;
  std::string fault_;
  double now_ = 0;
  bool answered_ = false, acknowledged_ = false;
  std::set<std::uint32_t> overdue_;  // numbers of those that a deadline is about to end
  bool stopped_ = false;
};

}  // namespace anybit
