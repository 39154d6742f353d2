// The coordinator under schedules that nobody would write by hand, drawn at random from printed seeds, over random
// policies. What must hold is listed at Coordinator; WatchedFederation checks it after each event.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "nn/random.h"
#include "tests/server/random_schedules.h"
#include "tests/server/small_federation.h"
#include "tests/server/watched_federation.h"

namespace anybit {
namespace {

/// A message under way.
struct Letter {
  std::uint32_t sender = 0;
  UpdateMessage update;
  bool valid = true;
  double due = 0;
};

std::span<const std::uint8_t> with_first(Bytes bytes, float value) {
  std::memcpy(bytes.data(), &value, sizeof value);
  return keep(bytes);
}

/// Spoils an update in one of the ways in which a peer can.
void corrupt(Letter& letter, Stream& stream) {
  letter.valid = false;
  UpdateMessage& update = letter.update;
  switch (stream.below(15)) {
    case 0: update.delta = update.delta.first(stream.below(static_cast<std::uint32_t>(update.delta.size()))); break;
    case 1: update.delta = keep(Bytes(update.delta.size() + 1)); break;
    case 2: update.delta = with_first(bytes_of(update.delta), std::numeric_limits<float>::quiet_NaN()); break;
    case 3: update.delta = with_first(bytes_of(update.delta), 0x1p43F); break;
    case 4: ++update.layout; break;
    case 5: update.examples = 0; break;
    case 6: update.steps = 0; break;
    case 7: update.tensors = {2, 0}; break;
    case 8: update.tensors = {0, 900}; break;
    case 9: update.shares[0].steps = update.steps + 1; break;
    case 10: update.loss = std::numeric_limits<double>::infinity(); break;
    case 11: update.shares[0].tensor = 0; break;
    case 12: update.id.round ^= 1U << 20; break;
    case 13: ++update.digest; break;
    default: update.id.run ^= 1; break;
  }
}

constexpr double kDeadline = 10;

SmallFederation random_federation(Stream& stream) {
  const std::uint32_t clients = 1 + stream.below(12);
  const std::uint32_t cohort = 1 + stream.below(clients);
  SmallFederation federation(clients, cohort, 1 + stream.below(4));
  federation.plan.client_state = true;
  RoundPolicy& policy = federation.plan.policy;
  const auto half = [&] { return stream.below(2) == 0; };
  if (half()) policy.over_selection = std::min(10.0, (cohort + stream.below(clients - cohort + 1)) / (1.0 * cohort));
  if (half()) policy.deadline = kDeadline;
  if (half()) policy.minimum = 1 + stream.below(cohort);
  if (policy.deadline > 0) policy.replace_until = 0.25 * stream.below(5);
  policy.give_up = 1 + stream.below(4);
  return federation;
}

/// Runs one federation to its end. The driver is a server whose network and clock do what they like.
class Schedule {
 public:
  Schedule(std::uint32_t seed, Counts& counts)
      : stream_({.seed = seed, .purpose = Purpose::kTest}),
        federation_(random_federation(stream_)),
        watched_(federation_),
        trouble_(stream_.below(60)),
        counts_(counts) {}

  /// "" or what went wrong.
  std::string run() {
    watched_.start(now_);
    for (int events = 0; !watched_.stopped() && watched_.fault().empty(); ++events) {
      if (events > 10000) return "the federation hangs";
      post_answers();
      step();
      ++counts_["events"];
      note(watched_.last());
    }
    return watched_.fault();
  }

 private:
  bool chance(std::uint32_t percent) { return stream_.below(100) < percent; }
  bool happens(const char* what, std::uint32_t percent) {
    const bool yes = chance(percent);
    if (yes) ++counts_[what];
    return yes;
  }
  /// In binary fractions, so that no sum of times is rounded.
  double up_to(double most) { return std::floor(64 * most * stream_.uniform()) / 64; }

  void note(const Outcome& outcome) {
    if (!outcome.report) return;
    ++counts_[outcome.report->abandoned ? "rounds abandoned" : "rounds committed"];
    counts_["clients released"] += outcome.report->released;
    counts_["clients replaced"] += outcome.report->replaced;
    if (outcome.gave_up) ++counts_["given up"];
  }

  /// Every task sent becomes letters: none, one or two, perhaps spoiled, each with a way of its own.
  void post_answers() {
    for (const SendTask& sent : watched_.take_tasks()) {
      if (happens("drop", trouble_)) continue;
      Letter letter{sent.client, federation_.answer(sent.task)};
      letter.update.digest = sent.digest;
      letter.due = now_ + (happens("slow client", trouble_ / 2) ? up_to(3 * kDeadline) : up_to(1));
      if (happens("duplicate", trouble_)) letters_.push_back(letter);
      if (happens("delay", trouble_)) letter.due += up_to(kDeadline);
      if (happens("corrupt", trouble_)) corrupt(letter, stream_);
      if (chance(trouble_ / 4)) letter.sender = stream_.below(federation_.plan.clients);
      letters_.push_back(std::move(letter));
    }
  }

  void step() {
    const std::uint32_t client = stream_.below(federation_.plan.clients);
    if (happens("clock jump forwards", 1)) now_ += up_to(3 * kDeadline);
    if (happens("clock jump backwards", 1)) now_ -= up_to(3 * kDeadline);
    if (happens("disconnect", 3))
      watched_.lose(client, now_, !chance(30));
    else if (chance(3))
      watched_.join(client, now_);
    else if (chance(2))
      watched_.pass_time(now_);
    else if (chance(1))
      watched_.start(now_);
    else if (!letters_.empty())
      deliver_one();
    else
      wait_no_longer();
  }

  /// Nothing is under way: the deadline comes, or the driver gives the silent clients up.
  void wait_no_longer() {
    if (watched_.wake()) {
      now_ = std::max(now_, *watched_.wake() + (chance(50) ? 0 : up_to(1)));
      watched_.pass_time(now_);
      return;
    }
    for (const std::uint32_t client : watched_.model().outstanding()) watched_.lose(client, now_);
  }

  void deliver_one() {
    const std::uint32_t which = stream_.below(static_cast<std::uint32_t>(letters_.size()));
    const Letter letter = letters_[which];
    const auto first = std::ranges::min_element(letters_, {}, &Letter::due);
    if (letter.due > first->due) ++counts_["reorder"];
    if (watched_.wake() && letter.due > *watched_.wake() && now_ < letter.due && chance(90)) return wait_no_longer();
    now_ = std::max(now_, letter.due);
    if (!chance(trouble_ / 2)) letters_.erase(letters_.begin() + which);  // else it will arrive once more
    if (is_of_other_parameters(letter)) ++counts_["other parameters"];
    watched_.deliver(letter.sender, letter.update, letter.valid, now_);
  }

  /// Of the task that its sender has, or has answered.
  bool is_of_other_parameters(const Letter& letter) const {
    const FederationModel& model = watched_.model();
    return letter.update.id == TaskId{federation_.plan.run, model.round(), letter.sender} &&
           letter.update.digest != model.digest();
  }

  Stream stream_;
  SmallFederation federation_;
  WatchedFederation<> watched_;
  std::uint32_t trouble_;  // percent
  Counts& counts_;
  std::vector<Letter> letters_;
  double now_ = 1000;
};

TEST(CoordinatorSchedules, RandomOnesLoseAndDoubleNothing) {
  expect_no_fault<Schedule>(10000,
                            {"drop", "slow client", "duplicate", "delay", "corrupt", "clock jump forwards",
                             "clock jump backwards", "disconnect", "reorder", "rounds abandoned", "rounds committed",
                             "other parameters", "clients released", "clients replaced", "given up"},
                            1000);
}

}  // namespace
}  // namespace anybit
