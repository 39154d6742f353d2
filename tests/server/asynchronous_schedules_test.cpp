// Asynchronous rounds under random schedules, drawn from printed seeds: updates are lost, doubled, spoiled, sent by
// others and late, clocks jump, the server is killed and goes on from its last version. What must hold is listed at
// Coordinator; WatchedAsynchronous checks it after each event.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "tests/server/watched_asynchronous.h"

namespace anybit {
namespace {

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
        watched_(federation_, counts),
        trouble_(stream_.below(60)),
        counts_(counts) {}

  std::string run() {
    watched_.start(now_);
    post_all();
    const auto is_done = [&] { return watched_.stopped() && watched_.account().version == plan_.rounds; };
    for (int events = 0; watched_.fault().empty() && !is_done(); ++events) {
      if (events > 20000) return "the federation hangs";
      ++counts_["events"];
      if (watched_.stopped()) {
        ++counts_["given up"];
        if (chance(30)) break;
        watched_.start(now_);
      } else {
        step();
      }
      post_all();
    }
    return watched_.fault();
  }

 private:
  bool chance(std::uint32_t percent) { return stream_.below(100) < percent; }
  bool happens(const char* what, std::uint32_t percent) {
    const bool yes = chance(percent);
    counts_[what] += yes ? 1 : 0;
    return yes;
  }
  void step() {
    now_ += 0.25 * stream_.below(4);
    if (happens("clock jump", 1)) now_ += 20.0 - stream_.below(40);
    const std::uint32_t client = stream_.below(plan_.clients);
    const std::optional<double> wake = watched_.wake();
    if (happens("kill", 1))
      watched_.kill(now_);
    else if (happens("loss", 2 + trouble_ / 6))
      watched_.lose(client, now_);
    else if (chance(3))
      watched_.join(client, now_);
    else if (wake && now_ >= *wake && chance(90))
      watched_.pass_time(now_);
    else if (chance(2))
      watched_.pass_time(now_);
    else if (!letters_.empty())
      deliver();
    else
      wait();
  }

  void wait() {
    if (watched_.wake()) {
      now_ = std::max(now_, *watched_.wake());
      return watched_.pass_time(now_);
    }
    const auto& open = watched_.account().open;
    if (!open.empty()) watched_.lose(std::uint32_t{open.begin()->second.client}, now_);
  }

  void post_all() {
    for (const SendTask& sent : watched_.take_tasks()) post(sent);
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
    watched_.deliver(letter, now_);
  }

  Stream stream_;
  SmallFederation federation_;
  const FederationPlan& plan_;
  WatchedAsynchronous<> watched_;
  std::uint32_t trouble_;  // percent
  Counts& counts_;
  std::vector<Letter> letters_;
  double now_ = 1000;
};

TEST(AsynchronousSchedules, RandomOnesLoseAndDoubleNothing) {
  expect_no_fault<Schedule>(
      4000,
      {"drop", "duplicate", "spoil", "other sender", "loss", "kill", "clock jump", "counted", "double",
       "late or strange", "stale", "overdue", "called off", "versions", "abandoned", "given up"},
      500);
}

}  // namespace
}  // namespace anybit
