#include "server/coordinator.h"

#include <algorithm>
#include <utility>

#include "server/synchronous_rounds.h"
#include "server/version_maker.h"

namespace anybit {

std::uint32_t counted(const FederationState& state, std::uint32_t client) {
  const auto found = std::ranges::lower_bound(state.counted, client, {}, &CountedClient::client);
  return found != state.counted.end() && found->client == client ? found->counted : 0;
}

Coordinator::Coordinator(FederationPlan plan, FederationState state)
    : maker_(std::make_unique<VersionMaker>(std::move(plan), std::move(state))),
      rounds_(maker_->plan.asynchrony ? make_asynchronous_rounds(*maker_) : make_synchronous_rounds(*maker_)) {}

Coordinator::~Coordinator() = default;

void Coordinator::handle(const Event& event, double time, std::vector<Action>& actions) {
  rounds_->handle(event, time, actions);
}

const FederationState& Coordinator::state() const {
  rounds_->complete_state();
  return maker_->state;
}

const FederationState& Coordinator::progress() const { return maker_->state; }

std::vector<std::uint32_t> Coordinator::cohort(const FederationPlan& plan, std::uint32_t round) {
  return select_clients(plan, round, 0).selected();
}

}  // namespace anybit
