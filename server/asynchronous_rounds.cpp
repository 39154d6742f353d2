// Start at take(UpdateArrived): an update waits in the sum until it is a version's last, then conclude(). Whatever ends
// a task goes through end(), and whatever may have made room through fill().
#include "server/asynchronous_rounds.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "server/strategies/strategy.h"

namespace anybit {
std::unique_ptr<Rounds> make_asynchronous_rounds(VersionMaker& maker) {
  return std::make_unique<AsynchronousRounds>(maker);
}

AsynchronousRounds::AsynchronousRounds(VersionMaker& maker)
    : maker_(maker), settings_(*maker.plan.asynchrony), idle_(maker.plan, settings_.concurrency) {
  read_state();
  begin_version();
}

void AsynchronousRounds::handle(const Event& event, double now, std::vector<Action>& actions) {
  now_ = now;
  std::visit([&](const auto& what) { take(what, actions); }, event);
}

// Events.

void AsynchronousRounds::take(const Started&, std::vector<Action>& actions) {
  if (running_) return;
  if (maker_.is_done()) {
    actions.emplace_back(EndFederation{});
    return;
  }
  running_ = true;
  in_vain_ = 0;
  idle_since_ = now_;
  for (const auto& [number, client] : by_age_) {
    Task& task = tasks_.at(client);
    if (!maker_.plan.virtual_time) task.flight.since = now_;
    actions.emplace_back(send(task));
  }
  fill(actions);
}

void AsynchronousRounds::take(const ClientJoined& event, std::vector<Action>& actions) {
  if (const auto found = tasks_.find(event.client); running_ && found != tasks_.end())
    actions.emplace_back(send(found->second));
}

void AsynchronousRounds::take(const UpdateArrived& event, std::vector<Action>& actions) {
  const TaskId task = event.update->id;
  const auto waits = waiting_.find(event.client);
  if (waits != waiting_.end() && task == TaskId{maker_.plan.run, waits->second, event.client}) {
    actions.emplace_back(SendAcknowledge{task});
  } else if (std::string reason = misdirected(event); !reason.empty()) {
    actions.emplace_back(SendReject{task, std::move(reason)});
  } else if (std::string refusal = maker_.sum.add(*event.update, contribution(event, tasks_.at(event.client)));
             !refusal.empty()) {
    actions.emplace_back(SendReject{task, std::move(refusal)});
    fail(event.client, actions);
  } else {
    actions.emplace_back(SendAcknowledge{task});
    const TaskInFlight& flight = tasks_.at(event.client).flight;
    const std::uint32_t staleness = maker_.state.version - flight.version;
    staleness_ += staleness;
    most_stale_ = std::max(most_stale_, staleness);
    longest_ = std::max(longest_, now_ - flight.since - flight.delay);
    waiting_.emplace(event.client, task.round);
    end(event.client);
    if (maker_.sum.clients() == maker_.plan.cohort) conclude(actions);
    fill(actions);
  }
}

void AsynchronousRounds::take(const ClientLost& event, std::vector<Action>& actions) {
  if (running_ && tasks_.contains(event.client)) fail(event.client, actions);
}

void AsynchronousRounds::take(const TimePassed&, std::vector<Action>& actions) {
  if (!running_) return;
  release_overdue(actions);
  if (!gives_up(actions)) fill(actions);
}

/// Why an update answers no task; "" where it does. After a resume tasks are answered that this coordinator has not
/// given: their clients are late as well.
std::string AsynchronousRounds::misdirected(const UpdateArrived& event) const {
  const TaskId& task = event.update->id;
  if (task.run != maker_.plan.run) return "of another run";
  if (task.client != event.client) return "of another client";
  const Task* found = running_ ? find(task) : nullptr;
  if (found == nullptr) return kLate;
  return event.update->digest == found->downlink->digest ? "" : kOtherParameters;
}

const AsynchronousRounds::Task* AsynchronousRounds::find(const TaskId& task) const {
  const auto found = tasks_.find(task.client);
  return found != tasks_.end() && found->second.flight.number == task.round ? &found->second : nullptr;
}

// An update.

Contribution AsynchronousRounds::contribution(const UpdateArrived& event, const Task& task) {
  Contribution made;
  const std::uint32_t staleness = maker_.state.version - task.flight.version;
  const double discount = settings_.discount(staleness);
  const double share = settings_.weighted ? maker_.weight(event) : 1;
  made.weight = share * (settings_.mixing ? *settings_.mixing * discount : discount);
  made.divisor = settings_.normalise ? share * discount : share;
  made.shifts_means = settings_.mixing.has_value();
  if (!settings_.mixing) made.statistics = share;
  if (staleness > 0) made.shift = shift_from(*task.downlink);
  return made;
}

std::span<const float> AsynchronousRounds::shift_from(const Downlink& downlink) {
  for (const Shift& known : shifts_)
    if (known.version == downlink.version) return known.values;
  const FederationPlan& plan = maker_.plan;
  if (!settings_.mixing && std::ranges::none_of(plan.layout->tensors(), is_always_shifted)) return {};
  Shift shift{downlink.version, maker_.state.global.values};
  [[maybe_unused]] const std::string flaw =
      plan.downlink->decode(*plan.layout, plan.broadcast, *downlink.bytes, shift.values);
  assert(flaw.empty());
  for (std::size_t i = 0; i < shift.values.size(); ++i) shift.values[i] -= maker_.state.global.values[i];
  return shifts_.emplace_back(std::move(shift)).values;
}

void AsynchronousRounds::fail(std::uint32_t client, std::vector<Action>& actions) {
  ++failed_;
  ++in_vain_;
  end(client);
  if (!gives_up(actions)) fill(actions);
}

void AsynchronousRounds::end(std::uint32_t client) {
  const auto found = tasks_.find(client);
  by_age_.erase(found->second.flight.number);
  if (found->second.flight.number < maker_.state.tasks) ended_.push_back(std::move(found->second));
  tasks_.erase(found);
  if (tasks_.empty()) idle_since_ = now_;
  idle_.free(client);
}

void AsynchronousRounds::release(std::vector<std::uint32_t> clients, std::vector<Action>& actions) {
  std::ranges::sort(clients);
  released_ += static_cast<std::uint32_t>(clients.size());
  for (const std::uint32_t client : clients) {
    actions.emplace_back(Release{id(tasks_.at(client).flight)});
    end(client);
  }
}

/// Whether so many tasks came to nothing that it does.
bool AsynchronousRounds::gives_up(std::vector<Action>& actions) {
  const std::uint64_t most = std::max(maker_.plan.cohort, settings_.concurrency);
  if (in_vain_ < maker_.plan.policy.give_up * most) return false;
  give_up(false, actions);
  return true;
}

/// What was done for the version in progress is on record, and a start afterwards uses no task's name again.
void AsynchronousRounds::give_up(bool nobody_left, std::vector<Action>& actions) {
  running_ = false;
  std::vector<std::uint32_t> at_work;
  for (const auto& [client, task] : tasks_) at_work.push_back(client);
  release(std::move(at_work), actions);
  if (maker_.sum.clients() + failed_ + released_ > 0) {
    ++maker_.state.abandoned;
    end_version(true, actions);
  }
  actions.emplace_back(EndFederation{.gave_up = true, .nobody_left = nobody_left});
}

// A version.

void AsynchronousRounds::conclude(std::vector<Action>& actions) {
  std::vector<CountedClient> counted;
  for (const auto& [client, number] : waiting_) counted.push_back({client, number + 1});
  maker_.make_version(counted);
  release_stale(actions);
  end_version(false, actions);
  if (!maker_.is_done()) return;
  running_ = false;
  actions.emplace_back(EndFederation{});
}

void AsynchronousRounds::end_version(bool abandoned, std::vector<Action>& actions) {
  FederationState& state = maker_.state;
  RoundReport report{.round = ++state.round,
                     .version = state.version,
                     .clients = maker_.sum.clients(),
                     .failed = failed_,
                     .released = released_,
                     .overdue = overdue_,
                     .train_loss = maker_.sum.train_loss(),
                     .abandoned = abandoned,
                     .waited = waited_,
                     .most_stale = most_stale_};
  if (report.clients > 0) report.staleness = static_cast<double>(staleness_) / report.clients;
  if (longest_ > 0) maker_.note_length(longest_);
  if (maker_.plan.virtual_time) state.time = now_;
  for (const auto& [client, number] : waiting_) idle_.free(client);
  waiting_.clear();
  downlink_.reset();
  shifts_.clear();
  state.tasks = next_number_;
  ended_.clear();
  state_is_whole_ = false;
  begin_version();
  actions.emplace_back(ConcludeRound{report});
}

void AsynchronousRounds::begin_version() {
  maker_.sum.clear();
  failed_ = released_ = overdue_ = most_stale_ = 0;
  in_vain_ = staleness_ = 0;
  waited_ = longest_ = 0;
}

/// Of the last version nobody is waited for.
void AsynchronousRounds::release_stale(std::vector<Action>& actions) {
  std::vector<std::uint32_t> stale;
  for (const auto& [number, client] : by_age_) {
    const std::uint32_t staleness = maker_.state.version - tasks_.at(client).flight.version;
    if (!maker_.is_done() && staleness <= settings_.max_staleness) break;
    stale.push_back(client);
  }
  release(std::move(stale), actions);
}

/// Of the last version, whatever has happened since: those at work then are at work still, or have ended.
void AsynchronousRounds::complete_state() {
  if (std::exchange(state_is_whole_, true)) return;
  FederationState& state = maker_.state;
  state.in_flight.clear();
  state.downlinks.clear();
  const auto note = [&](const Task& task) {
    if (task.flight.number >= state.tasks) return;
    state.in_flight.push_back(task.flight);
    if (!maker_.plan.virtual_time) state.in_flight.back().since = 0;
    state.downlinks.push_back(*task.downlink);
  };
  for (const auto& [client, task] : tasks_) note(task);
  for (const Task& task : ended_) note(task);
  std::ranges::sort(state.in_flight, {}, &TaskInFlight::client);
  std::ranges::sort(state.downlinks, {}, &Downlink::version);
  const auto [first, last] = std::ranges::unique(state.downlinks, {}, &Downlink::version);
  state.downlinks.erase(first, last);
}

void AsynchronousRounds::read_state() {
  const FederationState& state = maker_.state;
  next_number_ = state.tasks;
  std::map<std::uint32_t, std::shared_ptr<const Downlink>> downlinks;
  for (const Downlink& downlink : state.downlinks)
    downlinks.emplace(downlink.version, std::make_shared<const Downlink>(downlink));
  for (const TaskInFlight& task : state.in_flight) {
    tasks_.emplace(task.client, Task{task, downlinks.at(task.version)});
    by_age_.emplace(task.number, task.client);
  }
}

// Who comes next.

void AsynchronousRounds::fill(std::vector<Action>& actions) {
  if (!running_) return;
  const IdleClients::IsIdle idle = [this](std::uint32_t client) { return is_idle(client); };
  while (tasks_.size() < settings_.concurrency) {
    const std::optional<std::uint32_t> client = idle_.choose(next_number_, now_, idle);
    if (!client) break;
    give(*client, actions);
  }
  if (tasks_.empty() && std::isinf(idle_.next_turn())) {
    give_up(true, actions);
    return;
  }
  ask_to_be_woken(actions);
}

void AsynchronousRounds::give(std::uint32_t client, std::vector<Action>& actions) {
  const std::uint32_t version = maker_.state.version;
  if (!downlink_) downlink_ = std::make_shared<const Downlink>(maker_.encode(version));
  if (tasks_.empty()) waited_ += now_ - idle_since_;
  TaskInFlight flight{.client = client, .number = next_number_++, .version = version, .since = now_};
  flight.delay = maker_.delay(id(flight));
  const auto [made, is_new] = tasks_.emplace(client, Task{flight, downlink_});
  assert(is_new);
  by_age_.emplace(flight.number, client);
  actions.emplace_back(send(made->second));
}

SendTask AsynchronousRounds::send(const Task& task) const {
  return {.client = task.flight.client,
          .task = id(task.flight),
          .parameters = task.downlink->bytes,
          .version = task.flight.version,
          .counted = counted(maker_.state, task.flight.client),
          .digest = task.downlink->digest,
          .since = task.flight.since,
          .delay = task.flight.delay};
}

// Time.

void AsynchronousRounds::ask_to_be_woken(std::vector<Action>& actions) {
  double time = tasks_.size() < settings_.concurrency ? idle_.next_turn() : kNever;
  const double deadline = maker_.plan.policy.deadline;
  if (deadline > 0 && !by_age_.empty())
    time = std::min(time, tasks_.at(by_age_.begin()->second).flight.since + deadline);
  const bool asks = !std::isinf(time);
  if (asks || asked_) actions.emplace_back(WakeAt{time});
  asked_ = asks;
}

void AsynchronousRounds::release_overdue(std::vector<Action>& actions) {
  const double deadline = maker_.plan.policy.deadline;
  if (deadline == 0) return;
  std::vector<std::uint32_t> overdue;
  for (const auto& [number, client] : by_age_) {
    if (tasks_.at(client).flight.since + deadline > now_) break;
    overdue.push_back(client);
  }
  in_vain_ += overdue.size();
  overdue_ += static_cast<std::uint32_t>(overdue.size());
  release(std::move(overdue), actions);
}

}  // namespace anybit
