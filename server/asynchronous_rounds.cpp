// Start at take(UpdateArrived): an update waits in the sum until it is a version's last, then conclude(). Whatever ends
// a task goes through end(), and whatever may have made room through fill().
#include "server/asynchronous_rounds.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <utility>

#include "server/client_permutation.h"

namespace anybit {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();

}  // namespace

std::unique_ptr<Rounds> make_asynchronous_rounds(VersionMaker& maker) {
  return std::make_unique<AsynchronousRounds>(maker);
}

AsynchronousRounds::AsynchronousRounds(VersionMaker& maker) : maker_(maker), settings_(*maker.plan.asynchrony) {}

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
  begin_version();
  idle_since_ = now_;
  read_state();
  for (const TaskInFlight& task : by_age_) actions.emplace_back(send(tasks_.at(task.client)));
  fill(actions);
}

void AsynchronousRounds::take(const ClientJoined& event, std::vector<Action>& actions) {
  if (const auto found = tasks_.find(event.client); running_ && found != tasks_.end())
    actions.emplace_back(send(found->second));
}

void AsynchronousRounds::take(const UpdateArrived& event, std::vector<Action>& actions) {
  const TaskId task = event.update->id;
  const auto waits = waiting_.find(event.client);
  if (waits != waiting_.end() && waits->second == task.round && task.run == maker_.plan.run) {
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
  fill(actions);
}

/// Why an update answers no task; "" where it does.
std::string AsynchronousRounds::misdirected(const UpdateArrived& event) const {
  const TaskId& task = event.update->id;
  if (task.run != maker_.plan.run) return "of another run";
  if (task.client != event.client) return "of another client";
  if (task.round >= next_number_) return "of a task that was not given";
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
  if (staleness > 0) made.shift = shift_from(*task.downlink);
  return made;
}

std::span<const float> AsynchronousRounds::shift_from(const Downlink& downlink) {
  for (const Shift& known : shifts_)
    if (known.version == downlink.version) return known.values;
  const FederationPlan& plan = maker_.plan;
  const bool has_maxima =
      std::ranges::any_of(plan.layout->tensors(), [](const TensorSpec& tensor) { return tensor.merge == Merge::kMax; });
  if (!settings_.mixing && !has_maxima) return {};
  Shift shift{downlink.version, maker_.state.global.values};
  [[maybe_unused]] const std::string flaw =
      plan.downlink->decode(*plan.layout, plan.broadcast, *downlink.bytes, shift.values);
  assert(flaw.empty());
  for (std::size_t i = 0; i < shift.values.size(); ++i) shift.values[i] -= maker_.state.global.values[i];
  return shifts_.emplace_back(std::move(shift)).values;
}

void AsynchronousRounds::fail(std::uint32_t client, std::vector<Action>& actions) {
  ++failed_;
  end(client);
  const RoundPolicy& policy = maker_.plan.policy;
  if (failed_ < std::uint64_t{policy.give_up} * maker_.plan.cohort) return fill(actions);
  running_ = false;
  for (const auto& [other, task] : tasks_) actions.emplace_back(Release{id(task.flight)});
  actions.emplace_back(EndFederation{.gave_up = true});
}

void AsynchronousRounds::end(std::uint32_t client) {
  tasks_.erase(client);
  if (tasks_.empty()) idle_since_ = now_;
  if (nobody_until_) freed_.push_back(client);
}

void AsynchronousRounds::release(const Task& task, std::vector<Action>& actions) {
  ++released_;
  actions.emplace_back(Release{id(task.flight)});
  end(task.flight.client);
}

// A version.

void AsynchronousRounds::conclude(std::vector<Action>& actions) {
  FederationState& state = maker_.state;
  std::vector<CountedClient> counted;
  for (const auto& [client, number] : waiting_) counted.push_back({client, number + 1});
  RoundReport report{.clients = maker_.sum.clients(), .train_loss = maker_.sum.train_loss(), .waited = waited_};
  report.staleness = static_cast<double>(staleness_) / report.clients;
  report.most_stale = most_stale_;
  maker_.make_version(counted);
  if (longest_ > 0) maker_.note_length(longest_);
  if (maker_.plan.virtual_time) state.time = now_;
  if (nobody_until_)
    for (const CountedClient& client : counted) freed_.push_back(client.client);
  waiting_.clear();
  downlink_.reset();
  shifts_.clear();
  release_stale(actions);
  report.failed = failed_;
  report.released = released_;
  report.round = ++state.round;
  report.version = state.version;
  write_state();
  begin_version();
  actions.emplace_back(ConcludeRound{report});
  if (!maker_.is_done()) return;
  running_ = false;
  actions.emplace_back(EndFederation{});
}

void AsynchronousRounds::begin_version() {
  maker_.sum.clear();
  failed_ = released_ = most_stale_ = 0;
  staleness_ = 0;
  waited_ = longest_ = 0;
}

/// Of the last version nobody is waited for.
void AsynchronousRounds::release_stale(std::vector<Action>& actions) {
  const FederationState& state = maker_.state;
  std::vector<std::uint32_t> stale;
  for (const auto& [client, task] : tasks_)
    if (maker_.is_done() || state.version - task.flight.version > settings_.max_staleness) stale.push_back(client);
  for (const std::uint32_t client : stale) release(Task(tasks_.at(client)), actions);
}

void AsynchronousRounds::write_state() {
  FederationState& state = maker_.state;
  state.tasks = next_number_;
  state.in_flight.clear();
  state.downlinks.clear();
  for (const auto& [client, task] : tasks_) {
    state.in_flight.push_back(task.flight);
    if (!maker_.plan.virtual_time) state.in_flight.back().since = 0;
    state.downlinks.push_back(*task.downlink);
  }
  std::ranges::sort(state.downlinks, {}, &Downlink::version);
  const auto [first, last] = std::ranges::unique(state.downlinks, {}, &Downlink::version);
  state.downlinks.erase(first, last);
}

void AsynchronousRounds::read_state() {
  const FederationState& state = maker_.state;
  tasks_.clear();
  waiting_.clear();
  by_age_.clear();
  freed_.clear();
  nobody_until_.reset();
  downlink_.reset();
  shifts_.clear();
  next_number_ = state.tasks;
  std::map<std::uint32_t, std::shared_ptr<const Downlink>> downlinks;
  for (const Downlink& downlink : state.downlinks)
    downlinks.emplace(downlink.version, std::make_shared<const Downlink>(downlink));
  for (TaskInFlight task : state.in_flight) {
    if (!maker_.plan.virtual_time) task.since = now_;
    tasks_.emplace(task.client, Task{task, downlinks.at(task.version)});
    by_age_.push_back(task);
  }
  std::ranges::sort(by_age_, {}, &TaskInFlight::number);
}

// Who comes next.

void AsynchronousRounds::fill(std::vector<Action>& actions) {
  if (!running_) return;
  while (tasks_.size() < settings_.concurrency) {
    const std::optional<std::uint32_t> client = choose();
    if (!client) break;
    give(*client, actions);
  }
  if (tasks_.empty() && nobody_until_ && std::isinf(*nobody_until_)) {
    running_ = false;
    actions.emplace_back(EndFederation{.gave_up = true, .nobody_left = true});
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
  by_age_.push_back(flight);
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

ClientPermutation AsynchronousRounds::order_of(std::uint32_t number) const {
  return {{.seed = maker_.plan.seed, .purpose = Purpose::kCohort, .round = number}, maker_.plan.clients};
}

/// The first of the next task's order that is idle and can be reached.
std::optional<std::uint32_t> AsynchronousRounds::choose() {
  if (nobody_until_ && now_ < *nobody_until_) return choose_freed();
  nobody_until_.reset();
  freed_.clear();
  const FederationPlan& plan = maker_.plan;
  const ClientPermutation order = order_of(next_number_);
  double next = kNever;
  for (std::uint32_t place = 0; place < plan.clients; ++place) {
    const std::uint32_t client = order.client(place);
    if (!is_idle(client)) continue;
    if (plan.reachability(client, now_)) return client;
    next = std::min(next, plan.reachability.next(client, now_));
  }
  nobody_until_ = next;
  return std::nullopt;
}

/// The same where all others are known not to be: one that is freed and away comes again at a time of its own.
std::optional<std::uint32_t> AsynchronousRounds::choose_freed() {
  const ClientPermutation order = order_of(next_number_);
  std::optional<std::uint32_t> first;
  std::vector<std::uint32_t> left;
  for (const std::uint32_t client : freed_) {
    if (!is_idle(client)) continue;  // it will be freed again
    if (maker_.plan.reachability(client, now_)) {
      left.push_back(client);
      if (!first || order.place(client) < order.place(*first)) first = client;
    } else {
      nobody_until_ = std::min(*nobody_until_, maker_.plan.reachability.next(client, now_));
    }
  }
  if (first) std::erase(left, *first);
  freed_ = std::move(left);
  return first;
}

// Time.

void AsynchronousRounds::ask_to_be_woken(std::vector<Action>& actions) {
  double time = tasks_.size() < settings_.concurrency && nobody_until_ ? *nobody_until_ : kNever;
  while (!by_age_.empty() && find(id(by_age_.front())) == nullptr) by_age_.pop_front();
  const double deadline = maker_.plan.policy.deadline;
  if (deadline > 0 && !by_age_.empty()) time = std::min(time, by_age_.front().since + deadline);
  if (!std::isinf(time)) actions.emplace_back(WakeAt{time});
}

void AsynchronousRounds::release_overdue(std::vector<Action>& actions) {
  const double deadline = maker_.plan.policy.deadline;
  for (; deadline > 0 && !by_age_.empty() && by_age_.front().since + deadline <= now_; by_age_.pop_front())
    if (const Task* task = find(id(by_age_.front()))) release(Task(*task), actions);
}

}  // namespace anybit
