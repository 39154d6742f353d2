// The coordinator under all interleavings of small stories: three clients, two rounds, with and without policies. What
// must hold is listed at Coordinator; WatchedFederation checks it after each event, and must see a planted fault.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <string>
#include <utility>

#include "tests/server/interleavings.h"
#include "tests/server/small_federation.h"
#include "tests/server/watched_federation.h"

namespace anybit {
namespace {

/// What clients do, a bit for each client: in which of the two rounds they are lost instead of answering; whose update
/// of a round arrives once more, at any later moment, be it after the end; of whom an update of other parameters comes
/// beside its own, at any moment from the task on; and who comes again, at any moment, and answers once more where it
/// is sent its task again.
struct RoundStory {
  std::array<unsigned, 2> lost = {};
  std::array<unsigned, 2> repeating = {};
  std::array<unsigned, 2> confused = {};
  unsigned joining = 0;
};

/// Where there is a deadline it passes at any moment of each of the two rounds, or never.
template <class Federation>
class RoundTelling {
 public:
  RoundTelling(const SmallFederation& federation, const RoundStory& story) : federation_(federation), story_(story) {}

  /// One schedule; what is wrong with it, or "".
  std::string play(Interleavings& interleavings) {
    WatchedFederation<Federation> watched(federation_);
    now_ = 0;
    watched.start(now_);
    possible_.clear();
    for (std::uint32_t client = 0; client < 3; ++client)
      if (has(story_.joining, client)) possible_.push_back({Kind::kJoin, 0, client});
    add_tasks(watched, Kind::kFirst);
    for (std::size_t step = 0; !possible_.empty() && watched.fault().empty(); ++step) {
      const Event event = interleavings.choose(step, possible_);
      happen(event, watched);
      add_tasks(watched, event.kind == Kind::kJoin ? Kind::kAgain : Kind::kFirst);
      drop_passed_deadlines(watched.model().round());
    }
    if (watched.fault().empty() && watched.model().round() < 2)
      return "all has happened, and the second round is not over";
    return watched.fault();
  }

 private:
  enum class Kind { kFirst, kAgain, kConfused, kDeadline, kJoin };
  struct Event {
    Kind kind = Kind::kFirst;
    std::uint32_t round = 0;
    std::uint32_t client = 0;
    std::uint32_t digest = 0;  // of the update
  };

  void add_tasks(WatchedFederation<Federation>& watched, Kind kind) {
    const Outcome& last = watched.last();
    for (const SendTask& sent : watched.take_tasks()) {
      const std::uint32_t round = sent.task.round;
      if (round >= 2) continue;
      possible_.push_back({kind, round, sent.client, sent.digest});
      if (kind == Kind::kFirst && has(story_.confused[round], sent.client))
        possible_.push_back({Kind::kConfused, round, sent.client, sent.digest + 1});
    }
    if (last.wake && !last.sent.empty() && last.sent.front().round < 2)
      possible_.push_back({Kind::kDeadline, last.sent.front().round, 0});
  }

  void drop_passed_deadlines(std::uint32_t round) {
    std::erase_if(possible_, [&](const Event& event) { return event.kind == Kind::kDeadline && event.round < round; });
  }

  /// Time stands still until a deadline passes.
  void happen(const Event& event, WatchedFederation<Federation>& watched) {
    if (event.kind == Kind::kDeadline) return watched.pass_time(now_ = *watched.wake());
    if (event.kind == Kind::kJoin) return watched.join(event.client, now_);
    const bool first = event.kind == Kind::kFirst;
    UpdateMessage answer = answers_[event.round][event.client];
    answer.digest = event.digest;
    if (first && has(story_.lost[event.round], event.client))
      watched.lose(event.client, now_);
    else
      watched.deliver(event.client, answer, true, now_);
    if (first && has(story_.repeating[event.round], event.client))
      possible_.push_back({Kind::kAgain, event.round, event.client, event.digest});
  }

  static bool has(unsigned clients, std::uint32_t client) { return (clients >> client & 1U) != 0; }

  std::vector<UpdateMessage> answers_of(std::uint32_t round) const {
    std::vector<UpdateMessage> answers;
    for (std::uint32_t client = 0; client < 3; ++client)
      answers.push_back(federation_.answer({federation_.plan.run, round, client}));
    return answers;
  }

  const SmallFederation& federation_;
  const RoundStory story_;
  std::vector<std::vector<UpdateMessage>> answers_ = {answers_of(0), answers_of(1)};
  std::vector<Event> possible_;
  double now_ = 0;
};

struct RoundCase {
  std::string name;
  std::uint32_t cohort = 3;
  RoundPolicy policy = {};
  std::vector<RoundStory> stories;
};

/// Every set of clients is lost in the first round, with each of these sets of clients that repeat themselves there.
std::vector<RoundStory> losses_at_first(const std::vector<unsigned>& repeating = {7}) {
  std::vector<RoundStory> stories;
  for (const unsigned clients : repeating)
    for (unsigned lost = 0; lost < 8; ++lost) stories.push_back({{lost, 0}, {clients, 0}});
  return stories;
}

/// The same in the second round.
std::vector<RoundStory> losses_later(const std::vector<unsigned>& repeating = {7}) {
  std::vector<RoundStory> stories = losses_at_first(repeating);
  for (RoundStory& story : stories)
    std::swap(story.lost[0], story.lost[1]), std::swap(story.repeating[0], story.repeating[1]);
  return stories;
}

/// Every set is lost in the first round and every set in the second, while one client repeats itself in both.
std::vector<RoundStory> losses_in_both() {
  std::vector<RoundStory> stories;
  for (unsigned lost = 0; lost < 64; ++lost) stories.push_back({{lost % 8, lost / 8}, {1, 1}});
  return stories;
}

/// One client comes again, while every set is lost in the first round, or in the second.
std::vector<RoundStory> joins() {
  std::vector<RoundStory> stories = losses_at_first({0});
  const std::vector<RoundStory> later = losses_later({0});
  stories.insert(stories.end(), later.begin(), later.end());
  for (RoundStory& story : stories) story.joining = 2;
  return stories;
}

/// Updates of other parameters of these clients come, while every set is lost in the first round, or in the second.
std::vector<RoundStory> confusions(unsigned clients) {
  std::vector<RoundStory> stories = losses_at_first({0});
  for (RoundStory& story : stories) story.confused[0] = clients;
  for (RoundStory story : losses_later({0})) {
    story.confused[1] = clients;
    stories.push_back(story);
  }
  return stories;
}

/// The schedules of each story, up to the first fault.
template <class Federation>
std::pair<long, std::string> walk(const RoundCase& with) {
  SmallFederation federation(3, with.cohort, 2);
  federation.plan.policy = with.policy;
  federation.plan.client_state = true;
  return walk_stories<RoundTelling<Federation>>(federation, with.stories);
}

const RoundCase kWaitForAll = {"waits for all; losses and doubles of all in round 1", 3, {}, losses_at_first()};

TEST(CoordinatorInterleavings, AllOfThreeClientsAndTwoRounds) {
  const auto [walked, fault] = walk<Coordinator>(kWaitForAll);
  EXPECT_EQ(fault, "");
  // 36 orders of the answers, times 4 * 6 * 8 places of the repetitions, times 8 sets of lost clients.
  EXPECT_EQ(walked, 36 * 192 * 8);
  std::printf("%ld schedules: %s\n", walked, kWaitForAll.name.c_str());
}

TEST(CoordinatorInterleavings, AllOfEachStoryUnderEachPolicy) {
  constexpr RoundPolicy kOver = {.over_selection = 1.5};
  constexpr RoundPolicy kDeadline = {.deadline = 8, .minimum = 2};
  constexpr RoundPolicy kReplacing = {.deadline = 8, .minimum = 2, .replace_until = 1};
  constexpr RoundPolicy kBoth = {.over_selection = 1.5, .deadline = 8, .minimum = 2};
  const std::vector<RoundCase> cases = {
      {"waits for all; losses and doubles of all in round 2", 3, {}, losses_later()},
      {"waits for all; losses in both rounds, doubles of client 0", 3, {}, losses_in_both()},
      {"waits for all; losses in one of the rounds, client 1 comes again once", 3, {}, joins()},
      {"waits for all; losses and updates of other parameters in one of the rounds", 3, {}, confusions(3)},
      {"over-selection, two of three count; losses and doubles of all in round 1", 2, kOver, losses_at_first()},
      {"over-selection; losses and doubles of all in round 2", 2, kOver, losses_later()},
      {"over-selection; losses in one of the rounds, client 1 comes again once", 2, kOver, joins()},
      {"minimum of two; losses and doubles of all in round 1", 3, {.minimum = 2}, losses_at_first()},
      {"minimum of two; losses and doubles of all in round 2", 3, {.minimum = 2}, losses_later()},
      // With deadlines all three repeating themselves would make millions of them: here one does.
      {"deadline; losses and doubles of client 0 in round 1", 3, kDeadline, losses_at_first({1})},
      {"deadline; losses and doubles of client 0 in round 2", 3, kDeadline, losses_later({1})},
      {"replacement; losses and an update of other parameters in one of the rounds", 2, kReplacing, confusions(1)},
      {"replacement; losses and doubles of one client in round 1", 2, kReplacing, losses_at_first({1, 2, 4})},
      {"replacement; losses and doubles of one client in round 2", 2, kReplacing, losses_later({1, 2, 4})},
      {"replacement; losses in one of the rounds, client 1 comes again once", 2, kReplacing, joins()},
      {"over-selection and deadline; losses and doubles of client 2 in round 1", 2, kBoth, losses_at_first({4})},
  };
  for (const RoundCase& with : cases) {
    const auto [walked, fault] = walk<Coordinator>(with);
    EXPECT_EQ(fault, "") << with.name;
    EXPECT_GT(walked, 500) << with.name;
    std::printf("%ld schedules: %s\n", walked, with.name.c_str());
  }
}

/// A coordinator that sums a double: it takes it for the update of somebody who has not answered yet. Nothing in its
/// answers tells.
class DoubleCounting {
 public:
  DoubleCounting(const FederationPlan& plan, const FederationState& state) : coordinator_(plan, state) {}

  const FederationState& state() const { return coordinator_.state(); }

  void handle(const Event& event, double time, std::vector<Action>& actions) {
    const auto* arrived = std::get_if<UpdateArrived>(&event);
    const bool is_double = arrived != nullptr && counted_.contains(arrived->client) && !open_.empty() &&
                           arrived->update->id.round == state().round;
    if (is_double) {
      UpdateMessage disguised = *arrived->update;
      disguised.id.client = *open_.begin();
      coordinator_.handle(UpdateArrived{disguised.id.client, &disguised}, time, actions);
    } else {
      coordinator_.handle(event, time, actions);
    }
    for (Action& action : actions) {
      if (std::holds_alternative<ConcludeRound>(action)) counted_.clear(), open_.clear();
      if (const auto* send = std::get_if<SendTask>(&action)) open_.insert(send->client);
      if (auto* acknowledge = std::get_if<SendAcknowledge>(&action)) {
        open_.erase(acknowledge->task.client);
        counted_.insert(acknowledge->task.client);
        if (is_double) acknowledge->task.client = arrived->client;
      }
    }
  }

 private:
  Coordinator coordinator_;
  std::set<std::uint32_t> open_;
  std::set<std::uint32_t> counted_;
};

TEST(CoordinatorInterleavings, SeeAPlantedDoubleCount) {
  for (const std::vector<RoundStory>& stories : {losses_at_first(), losses_later(), joins()}) {
    const auto [walked, fault] = walk<DoubleCounting>({"", 3, {}, stories});
    EXPECT_NE(fault, "");
    std::printf("planted double count: seen in schedule %ld: %s\n", walked, fault.c_str());
  }
}

/// A coordinator that does not look at which parameters an update is of.
class TakingAnyParameters {
 public:
  TakingAnyParameters(const FederationPlan& plan, const FederationState& state) : coordinator_(plan, state) {}

  const FederationState& state() const { return coordinator_.state(); }

  void handle(const Event& event, double time, std::vector<Action>& actions) {
    const auto* arrived = std::get_if<UpdateArrived>(&event);
    if (arrived == nullptr) return coordinator_.handle(event, time, actions);
    UpdateMessage disguised = *arrived->update;
    disguised.digest = digest_of(state());
    coordinator_.handle(UpdateArrived{arrived->client, &disguised}, time, actions);
  }

 private:
  Coordinator coordinator_;
};

TEST(CoordinatorInterleavings, SeeAPlantedUpdateOfOtherParameters) {
  const auto [walked, fault] = walk<TakingAnyParameters>({"", 3, {}, confusions(3)});
  EXPECT_NE(fault, "");
  std::printf("planted update of other parameters: seen in schedule %ld: %s\n", walked, fault.c_str());
}

}  // namespace
}  // namespace anybit
