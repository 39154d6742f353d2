#include "server/coordinator.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <stdexcept>
#include <utility>

#include "server/aggregate.h"
#include "server/selection.h"
#include "wire/chunks.h"

namespace anybit {
namespace {

constexpr std::uint32_t kNoClient = 0xffffffffU;  // the downlink's own name among the codec's draws

constexpr double kNever = std::numeric_limits<double>::infinity();

std::uint64_t selected_of(const FederationPlan& plan) {
  return selected_clients(plan.cohort, plan.policy.over_selection);
}

Selection select(const FederationPlan& plan, std::uint32_t round) {
  return {{.seed = plan.seed, .purpose = Purpose::kCohort, .round = round},
          plan.clients,
          static_cast<std::uint32_t>(selected_of(plan))};
}

void check_policy(const FederationPlan& plan) {
  const RoundPolicy& policy = plan.policy;
  const auto within = [](double value, double least, double most) { return value >= least && value <= most; };
  if (!within(policy.over_selection, 1, 10) || selected_of(plan) > plan.clients)
    throw std::invalid_argument("federation plan: a round cannot select more clients than there are");
  if (policy.minimum == 0 || policy.minimum > plan.cohort || policy.give_up == 0)
    throw std::invalid_argument("federation plan: the minimum must be between 1 and the cohort, give_up at least 1");
  if (!within(policy.deadline, 0, std::numeric_limits<double>::max()) || !within(policy.replace_until, 0, 1))
    throw std::invalid_argument("federation plan: the deadline must be finite, replace_until between 0 and 1");
}

void check(const FederationPlan& plan, FederationState& state) {
  if (plan.layout == nullptr || plan.uplink == nullptr || plan.downlink == nullptr || plan.strategy == nullptr)
    throw std::invalid_argument("federation plan: layout, codecs and strategy must be set");
  if (plan.cohort == 0 || plan.cohort > plan.clients)
    throw std::invalid_argument("federation plan: the cohort must be between 1 and the number of clients");
  check_policy(plan);
  if (plan.chunks == 0 || plan.chunks > kMostChunks || (plan.chunks > 1 && !plan.examples))
    throw std::invalid_argument("federation plan: chunks must be 1 to " + std::to_string(kMostChunks) +
                                ", and more than 1 need the clients' numbers of examples");
  if (!plan.client_state && !state.counted.empty())
    throw std::invalid_argument("federation state: says who counted, but clients keep nothing");
  if (state.global.values.size() != plan.layout->size())
    throw std::invalid_argument("federation state: the parameters do not have the layout's size");
  if (state.version > state.round || state.abandoned > state.round - state.version)
    throw std::invalid_argument("federation state: more versions and abandoned rounds than rounds");
  const std::size_t needed = plan.layout->size() * static_cast<std::size_t>(plan.strategy->state_buffers());
  if (state.strategy_state.empty()) state.strategy_state.assign(needed, 0.0F);
  if (state.strategy_state.size() != needed)
    throw std::invalid_argument("federation state: the strategy's state does not have the strategy's size");
}

}  // namespace

std::uint32_t counted(const FederationState& state, std::uint32_t client) {
  const auto found = std::ranges::lower_bound(state.counted, client, {}, &CountedClient::client);
  return found != state.counted.end() && found->client == client ? found->counted : 0;
}

struct Coordinator::Machine {
  FederationPlan plan;
  FederationState state;
  RoundSum sum;
  double now = 0;
  bool running = false;  // a round is in progress, and what follows is about it
  Selection selection = {};
  std::optional<std::uint32_t> cut = {};  // the selected client whose batches are cut
  std::uint32_t outstanding = 0;
  std::uint32_t failed = 0;
  std::uint32_t replaced = 0;
  double deadline = kNever;                      // when it ends at the latest
  double replaceable_until = 0;                  // whoever fails before is replaced
  std::shared_ptr<const Bytes> parameters = {};  // its downlink, and
  std::uint32_t digest = 0;                      // that one's CRC32C

  TaskId task(std::uint32_t client) const { return {plan.run, state.round, client}; }

  SendTask send(std::uint32_t client) const {
    return {.client = client,
            .task = task(client),
            .parameters = parameters,
            .chunks = client == cut ? plan.chunks : 1,
            .version = state.version,
            .counted = counted(state, client),
            .digest = digest};
  }

  Standing* standing(std::uint32_t client) { return running ? selection.find(client) : nullptr; }

  void begin_round(std::vector<Action>& actions) {
    const bool gave_up = state.abandoned >= plan.policy.give_up;
    running = state.version < plan.rounds && !gave_up;
    parameters.reset();
    if (!running) {
      actions.emplace_back(EndFederation{state.version < plan.rounds});
      return;
    }
    sum.clear();
    selection = select(plan, state.round);
    outstanding = static_cast<std::uint32_t>(selection.selected().size());
    failed = replaced = 0;
    set_times(actions);
    auto bytes = std::make_shared<Bytes>();
    const DrawName draw{.seed = plan.seed, .purpose = Purpose::kCodec, .round = state.round, .client = kNoClient};
    plan.downlink->encode(*plan.layout, plan.broadcast, state.global.values, draw, *bytes);
    digest = crc32c(*bytes);
    parameters = std::move(bytes);
    cut = choose_cut();
    for (const std::uint32_t client : selection.selected()) actions.emplace_back(send(client));
  }

  void set_times(std::vector<Action>& actions) {
    const RoundPolicy& policy = plan.policy;
    deadline = policy.deadline > 0 ? now + policy.deadline : kNever;
    replaceable_until = now + policy.replace_until * policy.deadline;
    if (policy.deadline > 0) actions.emplace_back(WakeAt{deadline});
  }

  std::optional<std::uint32_t> choose_cut() const {
    if (plan.chunks == 1) return std::nullopt;
    const std::vector<std::uint32_t>& clients = selection.selected();
    std::vector<std::uint32_t> examples(clients.size());
    std::ranges::transform(clients, examples.begin(), plan.examples);
    const std::optional<std::size_t> index = client_to_cut(examples);
    return index ? std::optional(clients[*index]) : std::nullopt;
  }

  void settle(Standing& standing, Standing how, std::vector<Action>& actions) {
    standing = how;
    --outstanding;
    if (how == Standing::kFailed) {
      ++failed;
      replace(actions);
    }
    if (is_over()) conclude(actions);
  }

  void replace(std::vector<Action>& actions) {
    if (now >= replaceable_until) return;
    const std::optional<std::uint32_t> client = selection.replace();
    if (!client) return;
    ++replaced;
    ++outstanding;
    actions.emplace_back(send(*client));
  }

  /// Before its deadline. Whoever can be replaced is by now, so it is lost where those outstanding are too few.
  bool is_over() const {
    const std::uint32_t counted = sum.clients();
    return outstanding == 0 || counted == plan.cohort || counted + outstanding < plan.policy.minimum;
  }

  void conclude(std::vector<Action>& actions) {
    RoundReport report{.clients = sum.clients(), .failed = failed, .released = outstanding, .replaced = replaced};
    report.train_loss = sum.train_loss();
    report.abandoned = report.clients < plan.policy.minimum;
    if (outstanding > 0)
      for (const std::uint32_t client : selection.clients(Standing::kOutstanding))
        actions.emplace_back(Release{task(client)});
    if (report.abandoned) {
      ++state.abandoned;
    } else {
      plan.strategy->apply(*plan.layout, sum.close(), state.strategy_state, state.global.values);
      state.abandoned = 0;
      ++state.version;
      if (plan.client_state) note_counted(selection.clients(Standing::kCounted));
    }
    report.round = ++state.round;
    report.version = state.version;
    actions.emplace_back(ConcludeRound{report});
    begin_round(actions);
  }

  void note_counted(const std::vector<std::uint32_t>& clients) {
    const std::size_t known = state.counted.size();
    for (const std::uint32_t client : clients) {
      const auto end = state.counted.begin() + static_cast<std::ptrdiff_t>(known);
      const auto found = std::ranges::lower_bound(state.counted.begin(), end, client, {}, &CountedClient::client);
      if (found != end && found->client == client)
        found->counted = state.round + 1;
      else
        state.counted.push_back({client, state.round + 1});
    }
    const auto fresh = state.counted.begin() + static_cast<std::ptrdiff_t>(known);
    std::ranges::inplace_merge(state.counted, fresh, {}, &CountedClient::client);
  }

  /// Why an update answers no task of this round; "" where it does.
  std::string misdirected(const UpdateArrived& event, const Standing* found) const {
    const TaskId& id = event.update->id;
    if (id.run != plan.run) return "of another run";
    if (id.client != event.client) return "of another client";
    if (id.round > state.round) return "of a round that has not begun";
    if (id.round < state.round || !running) return kLate;
    if (found == nullptr) return "not in this round's cohort";
    if (*found == Standing::kFailed) return kLate;
    return event.update->digest == digest ? "" : kOtherParameters;
  }

  void take(const Started&, std::vector<Action>& actions) {
    if (running) return;
    if (state.abandoned >= plan.policy.give_up) state.abandoned = 0;
    begin_round(actions);
  }

  void take(const ClientJoined& event, std::vector<Action>& actions) {
    const Standing* found = standing(event.client);
    if (found != nullptr && *found == Standing::kOutstanding) actions.emplace_back(send(event.client));
  }

  void take(const UpdateArrived& event, std::vector<Action>& actions) {
    const TaskId id = event.update->id;
    Standing* found = standing(event.client);
    if (std::string reason = misdirected(event, found); !reason.empty()) {
      actions.emplace_back(SendReject{id, std::move(reason)});
    } else if (*found == Standing::kCounted) {
      actions.emplace_back(SendAcknowledge{id});
    } else if (std::string refusal = sum.add(*event.update); !refusal.empty()) {
      actions.emplace_back(SendReject{id, std::move(refusal)});
      settle(*found, Standing::kFailed, actions);
    } else {
      actions.emplace_back(SendAcknowledge{id});
      settle(*found, Standing::kCounted, actions);
    }
  }

  void take(const ClientLost& event, std::vector<Action>& actions) {
    Standing* found = standing(event.client);
    if (found != nullptr && *found == Standing::kOutstanding) settle(*found, Standing::kFailed, actions);
  }

  void take(const TimePassed&, std::vector<Action>& actions) {
    if (!running || deadline == kNever) return;
    if (now >= deadline)
      conclude(actions);
    else
      actions.emplace_back(WakeAt{deadline});
  }
};

Coordinator::Coordinator(FederationPlan plan, FederationState state) {
  check(plan, state);
  // Sums are zeroed at broadcast; nothing writes them afterwards (DESIGN D1).
  for (const TensorSpec& tensor : plan.layout->tensors())
    if (tensor.merge == Merge::kSum)
      std::fill_n(state.global.values.begin() + static_cast<std::ptrdiff_t>(tensor.offset), tensor.size, 0.0F);
  RoundSum sum(plan.layout, plan.uploaded, plan.uplink, plan.cohort, plan.threads);
  machine_.reset(new Machine{std::move(plan), std::move(state), std::move(sum)});
}

Coordinator::~Coordinator() = default;

void Coordinator::handle(const Event& event, double time, std::vector<Action>& actions) {
  machine_->now = time;
  std::visit([&](const auto& what) { machine_->take(what, actions); }, event);
}

const FederationState& Coordinator::state() const { return machine_->state; }

std::vector<std::uint32_t> Coordinator::cohort(const FederationPlan& plan, std::uint32_t round) {
  return select(plan, round).selected();
}

}  // namespace anybit
