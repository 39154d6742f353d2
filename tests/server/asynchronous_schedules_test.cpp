// Asynchronous rounds under random schedules, drawn from printed seeds: updates are lost, doubled, spoiled, sent by
// others and late, clocks jump, the server is killed and goes on from its last version. What must hold is listed at
// Coordinator; it is checked after each event by the actions alone, beside a plain account of who has which task.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include "server/client_permutation.h"
#include "tests/server/asynchronous_by_hand.h"
#include "tests/server/random_schedules.h"

namespace anybit {
namespace {

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
  std::uint32_t next = 0;
  std::uint32_t failed = 0, released = 0;  // since the last version
  std::uint32_t in_vain = 0;               // and since the start

  bool is_idle(std::uint32_t client) const {
    return std::ranges::none_of(open, [&](const auto& one) { return one.second.client == client; }) &&
           std::ranges::none_of(buffer, [&](const Arrived& one) { return one.task.client == client; });
  }
};

SmallFederation random_federation(Stream& stream) {
  const std::uint32_t concurrency = 1 + stream.below(6);
  const std::uint32_t cohort = 1 + stream.below(4);
  SmallFederation federation(concurrency + cohort - 1 + stream.below(6), cohort, 1 + stream.below(8));
  federation.plan.client_state = true;
  federation.plan.asynchrony = Asynchrony{
      .concurrency = concurrency, .max_staleness = stream.below(4), .discount = polynomial_discount(0.5), .mixing = {}};
  if (stream.below(2) == 0) federation.plan.policy.deadline = 10;
  federation.plan.policy.give_up = 1 + stream.below(6);
  return federation;
}

class Schedule {
 public:
  Schedule(std::uint32_t seed, Counts& counts)
      : stream_({.seed = seed, .purpose = Purpose::kTest}),
        federation_(random_federation(stream_)),
        plan_(federation_.plan),
        coordinator_(std::make_unique<Coordinator>(plan_, federation_.state())),
        trouble_(stream_.below(60)),
        counts_(counts) {}

  std::string run() {
    take(Started{});
    for (int events = 0; fault_.empty() && !(stopped_ && account_.version == plan_.rounds); ++events) {
      if (events > 20000) return "the federation hangs";
      ++counts_["events"];
      if (stopped_) {
        ++counts_["given up"];
        if (chance(30)) break;
        account_.in_vain = 0;
        take(Started{});
      } else {
        step();
      }
    }
    return fault_;
  }

 private:
  struct Letter {
    std::uint32_t sender = 0;
    UpdateMessage update;
    bool valid = true;
  };

  bool chance(std::uint32_t percent) { return stream_.below(100) < percent; }
  bool happens(const char* what, std::uint32_t percent) {
    const bool yes = chance(percent);
    counts_[what] += yes ? 1 : 0;
    return yes;
  }
  void check(bool holds, const std::string& what) {
    if (!holds && fault_.empty()) fault_ = what;
  }

  void step() {
    now_ += 0.25 * stream_.below(4);
    if (happens("clock jump", 1)) now_ += 20.0 - stream_.below(40);
    const std::uint32_t client = stream_.below(plan_.clients);
    if (happens("kill", 1))
      kill();
    else if (happens("loss", 2 + trouble_ / 6))
      lose(client);
    else if (chance(3))
      join(client);
    else if (wake_ && now_ >= *wake_ && chance(90))
      pass_time();
    else if (chance(2))
      pass_time();
    else if (!letters_.empty())
      deliver();
    else
      wait();
  }

  void wait() {
    if (wake_) {
      now_ = std::max(now_, *wake_);
      return pass_time();
    }
    if (!account_.open.empty()) lose(account_.open.begin()->second.client);
  }

  void kill() {
    const FederationState state = coordinator_->state();
    coordinator_ = std::make_unique<Coordinator>(plan_, state);
    account_ = saved_;
    account_.in_vain = 0;
    check(state.in_flight.size() == account_.open.size(), "a state lacks tasks");
    for (auto& [number, task] : account_.open) task.since = now_;
    wake_.reset();
    again_ = account_.open;
    take(Started{});
  }

  void lose(std::uint32_t client) {
    for (const auto& [number, task] : account_.open)
      if (task.client == client) {
        fail(number);
        break;
      }
    take(ClientLost{client, "test"});
  }

  void join(std::uint32_t client) {
    for (const auto& [number, task] : account_.open)
      if (task.client == client) again_.emplace(number, task);
    take(ClientJoined{client});
    check(again_.empty(), "who comes again is not sent its task");
  }

  void pass_time() {
    if (wake_ && now_ >= *wake_) wake_.reset();
    may_be_overdue_ = plan_.policy.deadline > 0;
    take(TimePassed{});
    may_be_overdue_ = false;
    const auto is_overdue = [&](const auto& one) { return one.second.since + plan_.policy.deadline <= now_; };
    const auto oldest = account_.open.begin();
    check(plan_.policy.deadline == 0 || oldest == account_.open.end() || !is_overdue(*oldest), "one is overdue");
  }

  void post(const SendTask& sent) {
    if (happens("drop", trouble_)) return;
    Letter letter{sent.client, federation_.answer(sent.task)};
    letter.update.digest = sent.digest;
    if (happens("duplicate", trouble_)) letters_.push_back(letter);
    if (happens("spoil", trouble_)) spoil(letter);
    if (happens("other sender", trouble_ / 4)) letter.sender = stream_.below(plan_.clients);
    letters_.push_back(std::move(letter));
  }

  void spoil(Letter& letter) {
    UpdateMessage& update = letter.update;
    letter.valid = false;
    switch (stream_.below(6)) {
      case 0: update.examples = 0; break;
      case 1: update.delta = update.delta.first(5); break;
      case 2: update.id.round ^= 1U << 20U; break;
      case 3: ++update.digest; break;
      case 4: update.id.client = stream_.below(plan_.clients); break;
      default: update.id.run ^= 1U; break;
    }
  }

  void deliver() {
    const std::uint32_t which = stream_.below(static_cast<std::uint32_t>(letters_.size()));
    const Letter letter = letters_[which];
    if (!chance(trouble_ / 2)) letters_.erase(letters_.begin() + which);
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

  void fail(std::uint32_t number) {
    account_.open.erase(number);
    ++account_.failed;
    ++account_.in_vain;
  }

  void take(const Event& event) {
    actions_.clear();
    stopped_ = false;
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
    const std::uint32_t most = std::max(plan_.cohort, plan_.asynchrony->concurrency) * plan_.policy.give_up;
    const bool is_over = account_.version == plan_.rounds || account_.in_vain >= most;
    check(stopped_ == is_over, "it ends, or does not");
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
      return post(sent);
    }
    check(number == account_.next++, "a task's number is used again, or passed over");
    check(sent.version == account_.version, "a task of another version");
    check(account_.is_idle(sent.client), "a client has two tasks, or one while its update waits");
    const ClientPermutation order({.seed = plan_.seed, .purpose = Purpose::kCohort, .round = number}, plan_.clients);
    std::uint32_t place = 0;
    while (!account_.is_idle(order.client(place))) ++place;
    check(order.client(place) == sent.client, "somebody else is asked");
    account_.open[number] = {sent.client, sent.version, sent.digest, account_.global[3], now_};
    post(sent);
  }
  void see(const Release& release) {
    const auto open = account_.open.find(release.task.round);
    check(open != account_.open.end() && open->second.client == release.task.client, "no open task is released");
    if (!fault_.empty()) return;
    const bool is_overdue = may_be_overdue_ && open->second.since + plan_.policy.deadline <= now_;
    const bool is_stale = account_.buffer.size() == plan_.cohort;  // the version that it makes is concluded behind
    account_.in_vain += is_overdue && !is_stale ? 1 : 0;
    counts_[is_stale ? "stale" : "overdue"] += 1;
    ++account_.released;
    account_.open.erase(open);
  }
  void see(const ConcludeRound& concluded) {
    const RoundReport& report = concluded.report;
    check(account_.buffer.size() == plan_.cohort && report.clients == plan_.cohort, "another number makes a version");
    check(report.failed == account_.failed && report.released == account_.released, "a task is lost");
    check(report.version == ++account_.version && coordinator_->state().version == account_.version, "its number");
    join_updates();
    for (const Arrived& one : account_.buffer) account_.counted[one.task.client] = one.task.round + 1;
    account_.buffer.clear();
    account_.failed = account_.released = account_.in_vain = 0;
    for (const auto& [number, task] : account_.open)
      check(account_.version - task.version <= plan_.asynchrony->max_staleness, "one is too far behind");
    saved_ = account_;
    ++counts_["versions"];
  }
  void see(const WakeAt& wake) { wake_ = std::isinf(wake.time) ? std::nullopt : std::optional(wake.time); }
  void see(const EndFederation&) { stopped_ = true; }
  void see(const SendAcknowledge&) { check(false, "an answer to nothing"); }
  void see(const SendReject&) { check(false, "an answer to nothing"); }

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

  Stream stream_;
  SmallFederation federation_;
  const FederationPlan& plan_;
  std::unique_ptr<Coordinator> coordinator_;
  std::uint32_t trouble_;  // percent
  Counts& counts_;
  Account account_;
  Account saved_;                            // of the last version
  std::map<std::uint32_t, OpenTask> again_;  // that are to be sent once more
  std::vector<Letter> letters_;
  std::vector<Action> actions_;
  std::optional<double> wake_;
  std::string fault_;
  double now_ = 1000;
  bool answered_ = false, acknowledged_ = false;
  bool may_be_overdue_ = false;
  bool stopped_ = false;
};

TEST(AsynchronousSchedules, RandomOnesLoseAndDoubleNothing) {
  expect_no_fault<Schedule>(4000,
                            {"drop", "duplicate", "spoil", "other sender", "loss", "kill", "clock jump", "counted",
                             "double", "late or strange", "stale", "overdue", "versions", "given up"},
                            500);
}

}  // namespace
}  // namespace anybit
