#include "sim/client_states.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace anybit {

void ClientStates::restore(const FederationState& state, std::span<const float> saved) {
  if (saved.size() != state.counted.size() * floats_)
    throw std::invalid_argument("the states of the clients are not those of the federation's state");
  for (std::size_t i = 0; i < state.counted.size(); ++i) {
    const std::span<const float> values = saved.subspan(i * floats_, floats_);
    states_.insert_or_assign(state.counted[i].client,
                             VersionedState({state.counted[i].counted, {values.begin(), values.end()}}, {}, {}));
  }
}

void ClientStates::prepare(std::uint32_t client) {
  if (floats_ == 0) return;
  states_.try_emplace(client);
  played_.push_back(client);
}

void ClientStates::settle(const FederationState& state) {
  std::vector<std::uint32_t> at_work;
  for (const std::uint32_t client : played_) {
    const auto found = states_.find(client);
    if (found == states_.end()) continue;
    if (std::ranges::binary_search(state.in_flight, client, {}, &TaskInFlight::client)) {
      at_work.push_back(client);
      continue;
    }
    const std::uint32_t name = counted(state, client);
    if (const std::string reason = found->second.settle(name); !reason.empty())
      throw std::logic_error("client " + std::to_string(client) + ": " + reason);
    found->second.forget_previous();  // nobody goes back here, and a fleet's would be as many again
    if (name == 0) states_.erase(found);
  }
  played_ = std::move(at_work);
}

ClientStateViews ClientStates::views(const FederationState& state) const {
  ClientStateViews views;
  if (floats_ == 0) return views;
  for (const CountedClient& client : state.counted) views.emplace_back(states_.at(client.client).current().values);
  return views;
}

}  // namespace anybit
