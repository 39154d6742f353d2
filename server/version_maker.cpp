#include "server/version_maker.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <queue>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "nn/random.h"
#include "server/checkpoint_tasks.h"
#include "wire/chunks.h"

namespace anybit {
namespace {

constexpr std::uint32_t kNoClient = 0xffffffffU;  // the downlink's own name among the codec's draws
constexpr double kNewShare = 0.2;                 // of the last round in what is expected of the next
constexpr std::uint32_t kMostTurns = 1U << 26U;   // of clients, that are looked at ahead

bool within(double value, double least, double most) { return value >= least && value <= most; }

void check_policy(const FederationPlan& plan) {
  const RoundPolicy& policy = plan.policy;
  if (!within(policy.over_selection, 1, 10) || selected_clients(plan.cohort, policy.over_selection) > plan.clients)
    throw std::invalid_argument("federation plan: a round cannot select more clients than there are");
  if (policy.minimum == 0 || policy.minimum > plan.cohort || policy.give_up == 0)
    throw std::invalid_argument("federation plan: the minimum must be between 1 and the cohort, give_up at least 1");
  if (!within(policy.deadline, 0, std::numeric_limits<double>::max()) || !within(policy.replace_until, 0, 1) ||
      !within(policy.pace, 0, 1))
    throw std::invalid_argument("federation plan: the deadline must be finite, replace_until and pace between 0 and 1");
  if (!plan.asynchrony) return;
  if (plan.asynchrony->concurrency == 0 || !plan.asynchrony->discount)
    throw std::invalid_argument("federation plan: asynchronous rounds need clients at work and a discount");
  if (std::uint64_t{plan.asynchrony->concurrency} + plan.cohort - 1 > plan.clients)
    throw std::invalid_argument("federation plan: concurrency and cohort need more clients than there are");
}

void check_in_flight(const FederationPlan& plan, const FederationState& state) {
  const auto is_nobody = [&](const TaskInFlight& task) { return task.client >= plan.clients; };
  if (!tasks_can_be(state) || state.in_flight.size() > plan.asynchrony->concurrency ||
      std::ranges::any_of(state.in_flight, is_nobody))
    throw std::invalid_argument("federation state: its tasks in flight cannot be");
  FloatBuffer decoded = state.global.values;
  for (const Downlink& downlink : state.downlinks)
    if (const std::string flaw = plan.downlink->decode(*plan.layout, plan.broadcast, *downlink.bytes, decoded);
        !flaw.empty())
      throw std::invalid_argument("federation state: the parameters of a task in flight: " + flaw);
}

}  // namespace

void check_state(const FederationPlan& plan, const FederationState& state) {
  if (!plan.client_state && !state.counted.empty())
    throw std::invalid_argument("federation state: says who counted, but clients keep nothing");
  if (!state.counted.empty() && state.counted.back().client >= plan.clients)
    throw std::invalid_argument("federation state: somebody counted whom there is not");
  if (state.global.values.size() != plan.layout->size())
    throw std::invalid_argument("federation state: the parameters do not have the layout's size");
  if (state.version > state.round || state.abandoned > state.round - state.version)
    throw std::invalid_argument("federation state: more versions and abandoned rounds than rounds");
  if (plan.asynchrony) check_in_flight(plan, state);
  if (!plan.asynchrony && (state.tasks != 0 || !state.in_flight.empty()))
    throw std::invalid_argument("federation state: tasks wait for answers, but rounds are synchronous");
}

namespace {

FederationPlan checked(FederationPlan plan) {
  if (plan.layout == nullptr || plan.uplink == nullptr || plan.downlink == nullptr || plan.strategy == nullptr)
    throw std::invalid_argument("federation plan: layout, codecs and strategy must be set");
  if (plan.cohort == 0 || plan.cohort > plan.clients)
    throw std::invalid_argument("federation plan: the cohort must be between 1 and the number of clients");
  if (plan.reachability.reachable && (!plan.reachability.next || !plan.reachability.until))
    throw std::invalid_argument("federation plan: where not everybody can be reached, it must say when");
  check_policy(plan);
  if (plan.chunks == 0 || plan.chunks > kMostChunks || (plan.chunks > 1 && !plan.examples))
    throw std::invalid_argument("federation plan: chunks must be 1 to " + std::to_string(kMostChunks) +
                                ", and more than 1 need the clients' numbers of examples");
  return plan;
}

FederationState checked(FederationState state, const FederationPlan& plan) {
  check_state(plan, state);
  const std::size_t needed = plan.layout->size() * static_cast<std::size_t>(plan.strategy->state_buffers());
  if (state.strategy_state.empty()) state.strategy_state.assign(needed, 0.0F);
  if (state.strategy_state.size() != needed)
    throw std::invalid_argument("federation state: the strategy's state does not have the strategy's size");
  // Sums are zeroed at broadcast; nothing writes them afterwards (DESIGN D1).
  for (const TensorSpec& tensor : plan.layout->tensors())
    if (tensor.merge == Merge::kSum)
      std::fill_n(state.global.values.begin() + static_cast<std::ptrdiff_t>(tensor.offset), tensor.size, 0.0F);
  return state;
}

}  // namespace

VersionMaker::VersionMaker(FederationPlan with, FederationState start)
    : plan(checked(std::move(with))),
      state(checked(std::move(start), plan)),
      sum(plan.layout, plan.uploaded, plan.uplink, plan.cohort, plan.threads) {}

Downlink VersionMaker::encode(std::uint32_t number) const {
  auto bytes = std::make_shared<Bytes>();
  const DrawName draw{.seed = plan.seed, .purpose = Purpose::kCodec, .round = number, .client = kNoClient};
  plan.downlink->encode(*plan.layout, plan.broadcast, state.global.values, draw, *bytes);
  const std::uint32_t digest = crc32c(*bytes);
  return {state.version, digest, std::move(bytes)};
}

double VersionMaker::weight(const UpdateArrived& arrived) const {
  const std::uint32_t examples = arrived.update->examples;
  if (plan.weighting == nullptr) return examples;
  const bool is_told = !arrived.widths.empty() || !plan.widths;
  return plan.weighting->weight(examples, is_told ? arrived.widths : plan.widths(arrived.client));
}

void VersionMaker::make_version(const std::vector<CountedClient>& counted) {
  plan.strategy->apply(*plan.layout, sum.close(), state.strategy_state, state.global.values);
  ++state.version;
  state.abandoned = 0;
  if (plan.client_state) note_counted(counted);
}

double VersionMaker::delay(const TaskId& task) const {
  if (!plan.virtual_time || plan.policy.pace == 0) return 0;
  Stream stream({.seed = plan.seed, .purpose = Purpose::kPace, .round = task.round, .client = task.client});
  return stream.uniform() * plan.policy.pace * state.expected_round;
}

void VersionMaker::note_length(double seconds) {
  if (!plan.virtual_time) return;
  const bool first = state.expected_round == 0;
  state.expected_round = first ? seconds : (1 - kNewShare) * state.expected_round + kNewShare * seconds;
}

void VersionMaker::note_counted(const std::vector<CountedClient>& counted) {
  const std::size_t known = state.counted.size();
  for (const CountedClient& client : counted) {
    const auto end = state.counted.begin() + static_cast<std::ptrdiff_t>(known);
    const auto found = std::ranges::lower_bound(state.counted.begin(), end, client.client, {}, &CountedClient::client);
    if (found != end && found->client == client.client)
      found->counted = client.counted;
    else
      state.counted.push_back(client);
  }
  const auto fresh = state.counted.begin() + static_cast<std::ptrdiff_t>(known);
  std::ranges::inplace_merge(state.counted, fresh, {}, &CountedClient::client);
}

namespace {

/// A client comes into reach, or goes.
struct Turn {
  double time = 0;
  std::uint32_t client = 0;
  bool comes = false;
  bool operator>(const Turn& other) const { return std::tie(time, client) > std::tie(other.time, other.client); }
};

}  // namespace

double time_until_enough(const FederationPlan& plan, std::uint32_t enough, double now) {
  const Reachability& reach = plan.reachability;
  std::priority_queue<Turn, std::vector<Turn>, std::greater<>> turns;
  std::uint32_t here = 0;
  double cycle = 0;  // the longest that a client takes to come, go and come again
  for (std::uint32_t client = 0; client < plan.clients; ++client) {
    const bool is_here = reach(client, now);
    here += is_here ? 1 : 0;
    const double turn = is_here ? reach.until(client, now) : reach.next(client, now);
    if (std::isinf(turn)) continue;
    turns.push({turn, client, !is_here});
    const double gone = is_here ? turn : reach.until(client, turn);
    const double again = std::isinf(gone) ? turn : reach.next(client, gone);
    cycle = std::max(cycle, (std::isinf(again) ? gone : again) - now);
  }
  if (here >= enough) return now;
  const double last = now + cycle * plan.policy.give_up;
  for (std::uint32_t left = kMostTurns; !turns.empty() && turns.top().time <= last && left > 0; --left) {
    const Turn turn = turns.top();
    turns.pop();
    turn.comes ? ++here : --here;
    const double next = turn.comes ? reach.until(turn.client, turn.time) : reach.next(turn.client, turn.time);
    if (!std::isinf(next)) turns.push({next, turn.client, !turn.comes});
    if (here >= enough && (turns.empty() || turns.top().time > turn.time)) return turn.time;
  }
  return kNever;
}

}  // namespace anybit
