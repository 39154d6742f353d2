#pragma once

#include <map>
#include <optional>
#include <vector>

#include "server/client_order.h"
#include "tests/server/small_federation.h"

namespace anybit {

/// What one event leads to.
struct Outcome {
  std::vector<TaskId> sent;
  std::vector<TaskId> acknowledged;
  std::vector<TaskId> rejected;
  std::vector<TaskId> released;
  std::optional<double> wake;
  std::optional<RoundReport> report;
  bool stopped = false;
  bool gave_up = false;
  bool operator==(const Outcome&) const = default;
};

/// The federation again, with maps and plain sums, for who tells it which updates are valid. It predicts what follows
/// from each event.
class FederationModel {
 public:
  explicit FederationModel(const SmallFederation& federation) : plan_(federation.plan) {}

  Outcome start(double now) {
    Outcome outcome;
    if (!running_) {
      if (in_a_row_ == plan_.policy.give_up) in_a_row_ = 0;
      begin(now, outcome);
    }
    return outcome;
  }

  /// An update of other parameters ends nothing: its client still has the task.
  Outcome update(std::uint32_t sender, const UpdateMessage& update, bool valid, double now) {
    Outcome outcome;
    const TaskId& id = update.id;
    const bool answers = running_ && id.run == plan_.run && id.client == sender && id.round == round_ &&
                         status_.contains(sender) && status_[sender] != 'f';
    if (answers && update.digest != digest()) {
      outcome.rejected = {id};
    } else if (answers && status_[sender] == 'c') {
      outcome.acknowledged = {id};
    } else if (!answers || !valid) {
      outcome.rejected = {id};
      if (answers) fail(sender, now, outcome);
    } else {
      outcome.acknowledged = {id};
      status_[sender] = 'c';
      end_if_over(now, outcome);
    }
    return outcome;
  }

  Outcome lose(std::uint32_t client, double now, bool replaceable = true) {
    Outcome outcome;
    if (is_outstanding(client)) fail(client, now, outcome, replaceable);
    return outcome;
  }

  Outcome join(std::uint32_t client) const {
    Outcome outcome;
    if (is_outstanding(client)) outcome.sent = {task(client)};
    return outcome;
  }

  Outcome pass_time(double now) {
    Outcome outcome;
    if (!running_ || plan_.policy.deadline == 0) return outcome;
    const double deadline = begun_ + plan_.policy.deadline;
    if (now < deadline)
      outcome.wake = deadline;
    else
      end(now, outcome, true);
    return outcome;
  }

  bool is_outstanding(std::uint32_t client) const {
    const auto found = status_.find(client);
    return running_ && found != status_.end() && found->second == '?';
  }
  std::vector<std::uint32_t> outstanding() const {
    std::vector<std::uint32_t> clients;
    for (const auto& [client, status] : status_)
      if (is_outstanding(client)) clients.push_back(client);
    return clients;
  }
  const std::vector<float>& global() const { return global_; }
  /// Of the downlink.
  std::uint32_t digest() const { return crc32c({reinterpret_cast<const std::uint8_t*>(global_.data()), 4 * 4}); }
  std::uint32_t version() const { return version_; }
  std::uint32_t round() const { return round_; }
  bool running() const { return running_; }

 private:
  TaskId task(std::uint32_t client) const { return {plan_.run, round_, client}; }

  std::uint32_t count(char status) const {
    std::uint32_t number = 0;
    for (const auto& [client, how] : status_) number += how == status ? 1 : 0;
    return number;
  }

  void begin(double now, Outcome& outcome) {
    running_ = version_ < plan_.rounds && in_a_row_ < plan_.policy.give_up;
    status_.clear();
    outcome.stopped = !running_;
    outcome.gave_up = !running_ && version_ < plan_.rounds;
    if (!running_) return;
    begun_ = now;
    replaced_ = 0;
    waiting_.clear();
    ClientOrder order({.seed = plan_.seed, .purpose = Purpose::kCohort, .round = round_}, plan_.clients);
    while (!order.done()) waiting_.push_back(order.next());
    while (static_cast<double>(status_.size()) < plan_.cohort * plan_.policy.over_selection - 1e-6) take_next();
    for (const auto& [client, status] : status_) outcome.sent.push_back(task(client));
    if (plan_.policy.deadline > 0) outcome.wake = now + plan_.policy.deadline;
  }

  std::uint32_t take_next() {
    const std::uint32_t client = waiting_.front();
    waiting_.erase(waiting_.begin());
    status_[client] = '?';
    return client;
  }

  void fail(std::uint32_t client, double now, Outcome& outcome, bool replaceable = true) {
    status_[client] = 'f';
    const bool in_time = now - begun_ < plan_.policy.deadline * plan_.policy.replace_until;
    if (replaceable && in_time && !waiting_.empty()) {
      outcome.sent.push_back(task(take_next()));
      ++replaced_;
    }
    end_if_over(now, outcome);
  }

  void end_if_over(double now, Outcome& outcome) {
    const std::uint32_t counted = count('c');
    const bool hopeless = counted + count('?') < plan_.policy.minimum;
    if (counted == plan_.cohort || count('?') == 0 || hopeless) end(now, outcome);
  }

  void end(double now, Outcome& outcome, bool at_deadline = false) {
    RoundReport report{.clients = count('c'), .failed = count('f'), .released = count('?'), .replaced = replaced_};
    report.overdue = at_deadline ? report.released : 0;
    report.abandoned = report.clients < plan_.policy.minimum;
    for (const std::uint32_t client : outstanding()) outcome.released.push_back(task(client));
    add_up(report);
    in_a_row_ = report.abandoned ? in_a_row_ + 1 : 0;
    version_ += report.abandoned ? 0 : 1;
    report.round = ++round_;
    report.version = version_;
    outcome.report = report;
    begin(now, outcome);
  }

  void add_up(RoundReport& report) {
    double weight = 0;
    double loss = 0;
    std::vector<double> sums(4, 0.0);
    for (const auto& [client, status] : status_) {
      if (status != 'c') continue;
      const double examples = SmallFederation::examples(client);
      weight += examples;
      loss += examples * SmallFederation::loss(task(client));
      for (std::size_t i = 0; i < 4; ++i)
        sums[i] += examples * static_cast<double>(SmallFederation::delta(task(client), i));
    }
    if (weight > 0) report.train_loss = loss / weight;
    if (report.abandoned) return;
    for (std::size_t i = 0; i < 4; ++i) global_[i] += static_cast<float>(sums[i] / weight);
  }

  const FederationPlan& plan_;
  std::map<std::uint32_t, char> status_;  // '?' outstanding, 'c' counted, 'f' failed
  std::vector<std::uint32_t> waiting_;    // who would replace the next one
  std::vector<float> global_ = std::vector<float>(4, 0.0F);
  std::uint32_t version_ = 0;
  std::uint32_t round_ = 0;
  std::uint32_t in_a_row_ = 0;  // abandoned
  std::uint32_t replaced_ = 0;
  double begun_ = 0;
  bool running_ = false;
};

}  // namespace anybit
