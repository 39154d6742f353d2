// The coordinator under schedules that nobody would write by hand: random ones from printed seeds, and all
// interleavings of a small case. What must hold is listed at Coordinator. A model in plain double, which is told by the
// test which updates are valid, predicts every answer and every parameter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>
#include <map>
#include <utility>

#include "nn/random.h"
#include "tests/server/small_federation.h"

namespace anybit {
namespace {

/// What the model expects from one event.
struct Expected {
  int acknowledged = 0;
  int rejected = 0;
  bool concluded = false;
  RoundReport report;
  bool operator==(const Expected& other) const {
    return acknowledged == other.acknowledged && rejected == other.rejected && concluded == other.concluded &&
           report.round == other.report.round && report.clients == other.report.clients &&
           report.failed == other.report.failed && report.train_loss == other.report.train_loss &&
           report.abandoned == other.report.abandoned;
  }
};

/// The federation again, with maps and plain sums.
class Model {
 public:
  explicit Model(const SmallFederation& federation) : federation_(federation) {}

  void begin(const std::vector<std::uint32_t>& cohort) {
    status_.clear();
    for (const std::uint32_t client : cohort) status_[client] = '?';
  }

  Expected update(std::uint32_t sender, const TaskId& id, bool valid) {
    const bool answers = id.run == federation_.plan.run && id.client == sender && id.round == version_ &&
                         status_.contains(sender) && status_[sender] != 'f';
    if (!answers) return {.rejected = 1, .report = {}};
    if (status_[sender] == 'c') return {.acknowledged = 1, .report = {}};
    status_[sender] = valid ? 'c' : 'f';
    Expected expected = valid ? Expected{.acknowledged = 1, .report = {}} : Expected{.rejected = 1, .report = {}};
    conclude(expected);
    return expected;
  }

  Expected lost(std::uint32_t client) {
    Expected expected;
    if (!status_.contains(client) || status_[client] != '?') return expected;
    status_[client] = 'f';
    conclude(expected);
    return expected;
  }

  std::vector<std::uint32_t> outstanding() const {
    std::vector<std::uint32_t> clients;
    for (const auto& [client, status] : status_)
      if (status == '?') clients.push_back(client);
    return clients;
  }
  const std::vector<float>& global() const { return global_; }
  std::uint32_t version() const { return version_; }

 private:
  void conclude(Expected& expected) {
    if (!outstanding().empty()) return;
    double weight = 0;
    double loss = 0;
    std::vector<double> sums(4, 0.0);
    expected.concluded = true;
    for (const auto& [client, status] : status_) {
      if (status == 'f') ++expected.report.failed;
      if (status != 'c') continue;
      ++expected.report.clients;
      const TaskId task{federation_.plan.run, version_, client};
      const double examples = SmallFederation::examples(client);
      weight += examples;
      loss += examples * SmallFederation::loss(task);
      for (std::size_t i = 0; i < 4; ++i) sums[i] += examples * static_cast<double>(SmallFederation::delta(task, i));
    }
    expected.report.abandoned = weight == 0;
    if (weight > 0) {
      expected.report.train_loss = loss / weight;
      for (std::size_t i = 0; i < 4; ++i) global_[i] += static_cast<float>(sums[i] / weight);
    }
    expected.report.round = ++version_;
    status_.clear();
  }

  const SmallFederation& federation_;
  std::map<std::uint32_t, char> status_;  // '?' outstanding, 'c' counted, 'f' failed
  std::vector<float> global_ = std::vector<float>(4, 0.0F);
  std::uint32_t version_ = 0;
};

/// Coordinator and model side by side.
class Pair {
 public:
  explicit Pair(const SmallFederation& federation)
      : federation_(federation), coordinator_(federation.plan, federation.state()), model_(federation) {
    handle(Started{}, {});
  }

  void deliver(std::uint32_t sender, const UpdateMessage& update, bool valid) {
    handle(UpdateArrived{sender, &update}, model_.update(sender, update.id, valid));
  }
  void lose(std::uint32_t client) { handle(ClientLost{client, "test"}, model_.lost(client)); }
  void join(std::uint32_t client) { handle(ClientJoined{client}, {}); }
  void pass_time() { handle(TimePassed{}, {}); }
  void start_again() { handle(Started{}, {}); }

  bool stopped() const { return stopped_; }
  const Model& model() const { return model_; }
  /// Tasks sent since the last call.
  std::vector<TaskId> take_tasks() { return std::exchange(tasks_, {}); }

 private:
  void handle(const Event& event, const Expected& expected) {
    actions_.clear();
    coordinator_.handle(event, 0.0, actions_);
    Expected got;
    std::vector<std::uint32_t> sent;
    for (const Action& action : actions_) {
      got.acknowledged += std::holds_alternative<SendAcknowledge>(action) ? 1 : 0;
      got.rejected += std::holds_alternative<SendReject>(action) ? 1 : 0;
      stopped_ = stopped_ || std::holds_alternative<Stop>(action);
      if (const auto* conclude = std::get_if<ConcludeRound>(&action)) {
        ASSERT_FALSE(got.concluded) << "concluded twice";
        ASSERT_TRUE(sent.empty()) << "tasks before the round is concluded";
        got.concluded = true;
        got.report = conclude->report;
      }
      if (const auto* send = std::get_if<SendTask>(&action)) {
        sent.push_back(send->client);
        tasks_.push_back(send->task);
      }
    }
    ASSERT_EQ(got, expected);
    const bool begun = got.concluded || (std::holds_alternative<Started>(event) && !sent.empty());
    if (begun) model_.begin(sent);
    ASSERT_EQ(coordinator_.state().version, model_.version());
    ASSERT_TRUE(std::ranges::equal(coordinator_.state().global.values, model_.global()));
  }

  const SmallFederation& federation_;
  Coordinator coordinator_;
  Model model_;
  std::vector<Action> actions_;
  std::vector<TaskId> tasks_;
  bool stopped_ = false;
};

/// A message under way.
struct Letter {
  std::uint32_t sender = 0;
  UpdateMessage update;
  bool valid = true;
};

std::span<const std::uint8_t> with_first(Bytes bytes, float value) {
  std::memcpy(bytes.data(), &value, sizeof value);
  return keep(bytes);
}

/// Spoils an update in one of the ways in which a peer can.
void corrupt(Letter& letter, Stream& stream) {
  letter.valid = false;
  UpdateMessage& update = letter.update;
  switch (stream.below(13)) {
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
    default: update.id.run ^= 1; break;
  }
}

class Schedule {
 public:
  Schedule(const SmallFederation& federation, std::uint32_t seed)
      : federation_(federation),
        stream_({.seed = seed, .purpose = Purpose::kTest}),
        pair_(federation),
        trouble_(stream_.below(60)) {}

  /// Runs to Stop; returns the events it took.
  int run() {
    int events = 0;
    while (!pair_.stopped() && !testing::Test::HasFatalFailure()) {
      post_answers();
      step();
      if (++events > 10000) ADD_FAILURE() << "the federation hangs";
      if (events > 10000) break;
    }
    return events;
  }

 private:
  bool chance(std::uint32_t percent) { return stream_.below(100) < percent; }

  /// Every task sent becomes letters: none, one or two, perhaps spoiled.
  void post_answers() {
    for (const TaskId& task : pair_.take_tasks()) {
      if (chance(trouble_)) continue;
      Letter letter{task.client, federation_.answer(task)};
      if (chance(trouble_)) letters_.push_back(letter);
      if (chance(trouble_)) corrupt(letter, stream_);
      if (chance(trouble_ / 4)) letter.sender = stream_.below(federation_.plan.clients);
      letters_.push_back(std::move(letter));
    }
  }

  void step() {
    const std::uint32_t client = stream_.below(federation_.plan.clients);
    if (chance(3))
      pair_.lose(client);
    else if (chance(3))
      pair_.join(client);
    else if (chance(2))
      pair_.pass_time();
    else if (chance(1))
      pair_.start_again();
    else if (letters_.empty())
      lose_everybody();
    else
      deliver_one();
  }

  /// Nothing is under way any more: the driver's deadline.
  void lose_everybody() {
    for (const std::uint32_t client : pair_.model().outstanding()) pair_.lose(client);
  }

  void deliver_one() {
    const std::uint32_t which = stream_.below(static_cast<std::uint32_t>(letters_.size()));
    const Letter letter = letters_[which];
    if (!chance(trouble_ / 2)) letters_.erase(letters_.begin() + which);  // else it will arrive once more
    pair_.deliver(letter.sender, letter.update, letter.valid);
  }

  const SmallFederation& federation_;
  Stream stream_;
  Pair pair_;
  std::uint32_t trouble_;  // percent
  std::vector<Letter> letters_;
};

TEST(CoordinatorSchedules, RandomOnesLoseAndDoubleNothing) {
  long events = 0;
  for (std::uint32_t seed = 0; seed < 1000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const SmallFederation federation(7 + seed % 9, 1 + seed % 7, 1 + seed % 5);
    events += Schedule(federation, seed).run();
    if (HasFailure()) return;
  }
  std::printf("seeds 0 ... 999: %ld events\n", events);
}

/// Three clients, two rounds. In the first each client answers or is lost, and in both cases its update arrives once
/// more at any later moment, also in the second round or after the end; in the second all answer. Walks every order.
class Interleavings {
 public:
  explicit Interleavings(const SmallFederation& federation) : federation_(federation) {}

  long walk(unsigned lost) {
    lost_ = lost;
    count_ = 0;
    order_.clear();
    extend();
    return count_;
  }

 private:
  // Steps 0-2: first answer of client i; 3-5: its repetition; 6-8: its answer in round two.
  bool possible(int step) const {
    const auto done = [this](int other) { return std::ranges::count(order_, other) > 0; };
    if (done(step)) return false;
    if (step < 3) return true;
    if (step < 6) return done(step - 3);
    return done(0) && done(1) && done(2);
  }

  void extend() {
    if (testing::Test::HasFatalFailure()) return;
    if (order_.size() == 9) return play();
    for (int step = 0; step < 9; ++step) {
      if (!possible(step)) continue;
      order_.push_back(step);
      extend();
      order_.pop_back();
    }
  }

  void play() {
    ++count_;
    Pair pair(federation_);
    for (const int step : order_) {
      const auto client = static_cast<std::uint32_t>(step % 3);
      if (step < 3 && (lost_ >> client & 1U) != 0)
        pair.lose(client);
      else
        pair.deliver(client, answers_[static_cast<std::size_t>(step / 6)][client], true);
    }
    ASSERT_TRUE(pair.stopped());
  }

  std::vector<UpdateMessage> answers_of(std::uint32_t round) const {
    std::vector<UpdateMessage> answers;
    for (std::uint32_t client = 0; client < 3; ++client)
      answers.push_back(federation_.answer({federation_.plan.run, round, client}));
    return answers;
  }

  const SmallFederation& federation_;
  std::vector<std::vector<UpdateMessage>> answers_ = {answers_of(0), answers_of(1)};
  unsigned lost_ = 0;
  long count_ = 0;
  std::vector<int> order_;
};

TEST(CoordinatorSchedules, AllInterleavingsOfThreeClientsAndTwoRounds) {
  const SmallFederation federation(3, 3, 2);
  Interleavings interleavings(federation);
  long walked = 0;
  for (unsigned lost = 0; lost < 8; ++lost) {
    SCOPED_TRACE("lost clients, as bits: " + std::to_string(lost));
    walked += interleavings.walk(lost);
    if (HasFatalFailure()) return;
  }
  // 36 orders of the answers, times 4 * 6 * 8 places of the repetitions, times 8 sets of lost clients.
  EXPECT_EQ(walked, 36 * 192 * 8);
  std::printf("%ld schedules\n", walked);
}

}  // namespace
}  // namespace anybit
