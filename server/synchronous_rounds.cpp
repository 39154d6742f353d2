#include "server/synchronous_rounds.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "wire/chunks.h"

namespace anybit {

Selection select_clients(const FederationPlan& plan, std::uint32_t round, double now) {
  const auto selected = static_cast<std::uint32_t>(selected_clients(plan.cohort, plan.policy.over_selection));
  return {{.seed = plan.seed, .purpose = Purpose::kCohort, .round = round},
          plan.clients,
          selected,
          [&](std::uint32_t client) { return plan.reachability(client, now); }};
}

std::unique_ptr<Rounds> make_synchronous_rounds(VersionMaker& maker) {
  return std::make_unique<SynchronousRounds>(maker);
}

void SynchronousRounds::handle(const Event& event, double now, std::vector<Action>& actions) {
  now_ = now;
  std::visit([&](const auto& what) { take(what, actions); }, event);
}

SendTask SynchronousRounds::send(std::uint32_t client, double since) const {
  const TaskId id = task(client);
  return {.client = client,
          .task = id,
          .parameters = downlink_.bytes,
          .chunks = client == cut_ ? maker_.plan.chunks : 1,
          .version = maker_.state.version,
          .counted = counted(maker_.state, client),
          .digest = downlink_.digest,
          .since = since,
          .delay = maker_.delay(id)};
}

void SynchronousRounds::begin_round(std::vector<Action>& actions) {
  const FederationPlan& plan = maker_.plan;
  running_ = false;
  waits_until_.reset();
  downlink_ = {};
  const bool gave_up = maker_.state.abandoned >= plan.most_abandoned();
  if (maker_.is_done() || gave_up) {
    actions.emplace_back(EndFederation{!maker_.is_done()});
    return;
  }
  selection_ = select_clients(plan, maker_.state.round, now_);
  if (selection_.selected().size() < plan.policy.minimum) return wait_for_clients(actions);
  running_ = true;
  maker_.sum.clear();
  outstanding_ = static_cast<std::uint32_t>(selection_.selected().size());
  failed_ = replaced_ = 0;
  longest_ = 0;
  began_ = now_;
  set_times(actions);
  downlink_ = maker_.encode(maker_.state.round);
  cut_ = choose_cut();
  for (const std::uint32_t client : selection_.selected()) actions.emplace_back(send(client, now_));
}

void SynchronousRounds::wait_for_clients(std::vector<Action>& actions) {
  const double time = time_until_enough(maker_.plan, maker_.plan.policy.minimum, now_);
  if (std::isinf(time)) {
    actions.emplace_back(EndFederation{.gave_up = true, .nobody_left = true});
    return;
  }
  waits_until_ = time;
  actions.emplace_back(WakeAt{time});
}

void SynchronousRounds::set_times(std::vector<Action>& actions) {
  const RoundPolicy& policy = maker_.plan.policy;
  deadline_ = policy.deadline > 0 ? now_ + policy.deadline : kNever;
  replaceable_until_ = now_ + policy.replace_until * policy.deadline;
  if (policy.deadline > 0) actions.emplace_back(WakeAt{deadline_});
}

std::optional<std::uint32_t> SynchronousRounds::choose_cut() const {
  if (maker_.plan.chunks == 1) return std::nullopt;
  const std::vector<std::uint32_t>& clients = selection_.selected();
  std::vector<std::uint32_t> examples(clients.size());
  std::ranges::transform(clients, examples.begin(), maker_.plan.examples);
  const std::optional<std::size_t> index = client_to_cut(examples);
  return index ? std::optional(clients[*index]) : std::nullopt;
}

void SynchronousRounds::settle(Standing& standing, Standing how, std::vector<Action>& actions, bool replaceable) {
  standing = how;
  --outstanding_;
  if (how == Standing::kDropped) {
    ++failed_;
    if (replaceable) replace(actions);
  }
  if (is_over()) conclude(actions);
}

void SynchronousRounds::replace(std::vector<Action>& actions) {
  if (now_ >= replaceable_until_) return;
  const std::optional<std::uint32_t> client =
      selection_.replace([&](std::uint32_t other) { return maker_.plan.reachability(other, now_); });
  if (!client) return;
  ++replaced_;
  ++outstanding_;
  actions.emplace_back(send(*client, now_));
}

/// Before its deadline. Whoever can be replaced is by now, so it is lost where those outstanding are too few.
bool SynchronousRounds::is_over() const {
  const std::uint32_t counted = maker_.sum.clients();
  return outstanding_ == 0 || counted == maker_.plan.cohort || counted + outstanding_ < maker_.plan.policy.minimum;
}

void SynchronousRounds::conclude(std::vector<Action>& actions, bool at_deadline) {
  FederationState& state = maker_.state;
  RoundReport report{
      .clients = maker_.sum.clients(), .failed = failed_, .released = outstanding_, .replaced = replaced_};
  report.overdue = at_deadline ? outstanding_ : 0;
  report.train_loss = maker_.sum.train_loss();
  report.abandoned = report.clients < maker_.plan.policy.minimum;
  report.waited = began_ - round_over_;
  if (outstanding_ > 0)
    for (const std::uint32_t client : selection_.clients(Standing::kOutstanding))
      actions.emplace_back(Release{task(client)});
  if (report.abandoned)
    ++state.abandoned;
  else
    maker_.make_version(counted_clients());
  if (longest_ > 0) maker_.note_length(longest_);
  if (maker_.plan.virtual_time) state.time = now_;
  report.round = ++state.round;
  report.version = state.version;
  round_over_ = now_;
  actions.emplace_back(ConcludeRound{report});
  begin_round(actions);
}

std::vector<CountedClient> SynchronousRounds::counted_clients() const {
  std::vector<CountedClient> counted;
  if (!maker_.plan.client_state) return counted;
  for (const std::uint32_t client : selection_.clients(Standing::kCounted))
    counted.push_back({client, maker_.state.round + 1});
  return counted;
}

/// Why an update answers no task of this round; "" where it does.
std::string SynchronousRounds::misdirected(const UpdateArrived& event, const Standing* found) const {
  const TaskId& id = event.update->id;
  if (id.run != maker_.plan.run) return "of another run";
  if (id.client != event.client) return "of another client";
  if (id.round > maker_.state.round) return "of a round that has not begun";
  if (id.round < maker_.state.round || !running_) return kLate;
  if (found == nullptr) return "not in this round's cohort";
  if (*found == Standing::kDropped) return kLate;
  return event.update->digest == downlink_.digest ? "" : kOtherParameters;
}

std::string SynchronousRounds::add(const UpdateArrived& event) {
  const double weight = maker_.weight(event);
  return maker_.sum.add(*event.update, {.weight = weight, .divisor = weight});
}

void SynchronousRounds::take(const Started&, std::vector<Action>& actions) {
  if (running_) return;
  round_over_ = now_;
  if (maker_.state.abandoned >= maker_.plan.most_abandoned()) maker_.state.abandoned = 0;
  begin_round(actions);
}

void SynchronousRounds::take(const ClientJoined& event, std::vector<Action>& actions) {
  const Standing* found = standing(event.client);
  if (found != nullptr && *found == Standing::kOutstanding) actions.emplace_back(send(event.client, now_));
}

void SynchronousRounds::take(const UpdateArrived& event, std::vector<Action>& actions) {
  const TaskId id = event.update->id;
  Standing* found = standing(event.client);
  if (std::string reason = misdirected(event, found); !reason.empty()) {
    actions.emplace_back(SendReject{id, std::move(reason)});
  } else if (*found == Standing::kCounted) {
    actions.emplace_back(SendAcknowledge{id});
  } else if (std::string refusal = add(event); !refusal.empty()) {
    actions.emplace_back(SendReject{id, std::move(refusal)});
    settle(*found, Standing::kDropped, actions);
  } else {
    actions.emplace_back(SendAcknowledge{id});
    longest_ = std::max(longest_, now_ - began_ - maker_.delay(id));
    settle(*found, Standing::kCounted, actions);
  }
}

void SynchronousRounds::take(const ClientLost& event, std::vector<Action>& actions) {
  Standing* found = standing(event.client);
  if (found != nullptr && *found == Standing::kOutstanding)
    settle(*found, Standing::kDropped, actions, event.replaceable);
}

void SynchronousRounds::take(const TimePassed&, std::vector<Action>& actions) {
  if (waits_until_ && now_ >= *waits_until_) return begin_round(actions);
  if (waits_until_) actions.emplace_back(WakeAt{*waits_until_});
  if (!running_ || deadline_ == kNever) return;
  if (now_ >= deadline_)
    conclude(actions, true);
  else
    actions.emplace_back(WakeAt{deadline_});
}

}  // namespace anybit
