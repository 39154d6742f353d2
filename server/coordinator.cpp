#include "server/coordinator.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <utility>

#include "server/aggregate.h"
#include "server/client_order.h"
#include "wire/chunks.h"

namespace anybit {
namespace {

constexpr std::uint32_t kNoClient = 0xffffffffU;  // the downlink's own name among the codec's draws

enum class Answer : std::uint8_t { kOutstanding, kCounted, kFailed };

void check(const FederationPlan& plan, FederationState& state) {
  if (plan.layout == nullptr || plan.uplink == nullptr || plan.downlink == nullptr || plan.strategy == nullptr)
    throw std::invalid_argument("federation plan: layout, codecs and strategy must be set");
  if (plan.cohort == 0 || plan.cohort > plan.clients)
    throw std::invalid_argument("federation plan: the cohort must be between 1 and the number of clients");
  if (plan.chunks == 0 || plan.chunks > kMostChunks || (plan.chunks > 1 && !plan.examples))
    throw std::invalid_argument("federation plan: chunks must be 1 to " + std::to_string(kMostChunks) +
                                ", and more than 1 need the clients' numbers of examples");
  if (state.global.values.size() != plan.layout->size())
    throw std::invalid_argument("federation state: the parameters do not have the layout's size");
  const std::size_t needed = plan.layout->size() * static_cast<std::size_t>(plan.strategy->state_buffers());
  if (state.strategy_state.empty()) state.strategy_state.assign(needed, 0.0F);
  if (state.strategy_state.size() != needed)
    throw std::invalid_argument("federation state: the strategy's state does not have the strategy's size");
}

}  // namespace

struct Coordinator::Machine {
  FederationPlan plan;
  FederationState state;
  RoundSum sum;
  bool running = false;                    // a round is in progress
  std::vector<std::uint32_t> cohort = {};  // of this round, ascending
  std::vector<Answer> answers = {};        // beside it
  std::optional<std::uint32_t> cut = {};   // the client of the cohort whose batches are cut
  std::uint32_t outstanding = 0;
  std::uint32_t failed = 0;
  std::shared_ptr<const Bytes> parameters = {};  // this round's downlink

  TaskId task(std::uint32_t client) const { return {plan.run, state.version, client}; }

  SendTask send(std::uint32_t client) const {
    return {client, task(client), parameters, client == cut ? plan.chunks : 1};
  }

  Answer* answer(std::uint32_t client) {
    const auto found = std::ranges::lower_bound(cohort, client);
    if (!running || found == cohort.end() || *found != client) return nullptr;
    return &answers[static_cast<std::size_t>(found - cohort.begin())];
  }

  void begin_round(std::vector<Action>& actions) {
    running = state.version < plan.rounds;
    parameters.reset();
    if (!running) {
      actions.emplace_back(Stop{});
      return;
    }
    sum.clear();
    cohort = Coordinator::cohort(plan, state.version);
    answers.assign(cohort.size(), Answer::kOutstanding);
    outstanding = static_cast<std::uint32_t>(cohort.size());
    failed = 0;
    auto bytes = std::make_shared<Bytes>();
    const DrawName draw{.seed = plan.seed, .purpose = Purpose::kCodec, .round = state.version, .client = kNoClient};
    plan.downlink->encode(*plan.layout, plan.broadcast, state.global.values, draw, *bytes);
    parameters = std::move(bytes);
    cut = choose_cut();
    for (const std::uint32_t client : cohort) actions.emplace_back(send(client));
  }

  std::optional<std::uint32_t> choose_cut() const {
    if (plan.chunks == 1) return std::nullopt;
    std::vector<std::uint32_t> examples(cohort.size());
    std::ranges::transform(cohort, examples.begin(), plan.examples);
    const std::optional<std::size_t> index = client_to_cut(examples);
    return index ? std::optional(cohort[*index]) : std::nullopt;
  }

  void settle(Answer& answer, Answer how, std::vector<Action>& actions) {
    answer = how;
    --outstanding;
    if (how == Answer::kFailed) ++failed;
    if (outstanding == 0) conclude(actions);
  }

  void conclude(std::vector<Action>& actions) {
    RoundReport report{.clients = sum.clients(), .failed = failed, .train_loss = sum.train_loss()};
    report.abandoned = report.clients == 0;
    if (!report.abandoned) plan.strategy->apply(*plan.layout, sum.close(), state.strategy_state, state.global.values);
    report.round = ++state.version;
    actions.emplace_back(ConcludeRound{report});
    begin_round(actions);
  }

  /// Why an update answers no task of this round; "" where it does.
  std::string misdirected(const UpdateArrived& event, const Answer* found) const {
    const TaskId& id = event.update->id;
    if (id.run != plan.run) return "of another run";
    if (id.client != event.client) return "of another client";
    if (id.round > state.version) return "of a round that has not begun";
    if (id.round < state.version || !running) return "late";
    if (found == nullptr) return "not in this round's cohort";
    return *found == Answer::kFailed ? "late" : "";
  }

  void take(const Started&, std::vector<Action>& actions) {
    if (!running) begin_round(actions);
  }

  void take(const ClientJoined& event, std::vector<Action>& actions) {
    const Answer* found = answer(event.client);
    if (found != nullptr && *found == Answer::kOutstanding) actions.emplace_back(send(event.client));
  }

  void take(const UpdateArrived& event, std::vector<Action>& actions) {
    const TaskId id = event.update->id;
    Answer* found = answer(event.client);
    if (std::string reason = misdirected(event, found); !reason.empty()) {
      actions.emplace_back(SendReject{id, std::move(reason)});
    } else if (*found == Answer::kCounted) {
      actions.emplace_back(SendAcknowledge{id});
    } else if (std::string refusal = sum.add(*event.update); !refusal.empty()) {
      actions.emplace_back(SendReject{id, std::move(refusal)});
      settle(*found, Answer::kFailed, actions);
    } else {
      actions.emplace_back(SendAcknowledge{id});
      settle(*found, Answer::kCounted, actions);
    }
  }

  void take(const ClientLost& event, std::vector<Action>& actions) {
    Answer* found = answer(event.client);
    if (found != nullptr && *found == Answer::kOutstanding) settle(*found, Answer::kFailed, actions);
  }

  void take(const TimePassed&, std::vector<Action>&) {}
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

void Coordinator::handle(const Event& event, double, std::vector<Action>& actions) {
  std::visit([&](const auto& what) { machine_->take(what, actions); }, event);
}

const FederationState& Coordinator::state() const { return machine_->state; }

std::vector<std::uint32_t> Coordinator::cohort(const FederationPlan& plan, std::uint32_t round) {
  ClientOrder order({.seed = plan.seed, .purpose = Purpose::kCohort, .round = round}, plan.clients);
  std::vector<std::uint32_t> clients(plan.cohort);
  for (std::uint32_t& client : clients) client = order.next();
  std::ranges::sort(clients);
  return clients;
}

}  // namespace anybit
