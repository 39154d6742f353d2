#include "sim/client_states.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace anybit {

void KeptState::propose(std::uint32_t round, std::span<const float> values) {
  StateSlot& slot = proposal(round);
  if (!slot) slot = slots_->take();
  slot.write(values);
}

ClientStates::ClientStates(std::size_t floats, ClientStateRoom room) : floats_(floats) {
  if (floats > 0) slots_.emplace(floats, room.memory, std::move(room.folder));
}

void ClientStates::restore(const FederationState& state, const ClientStateReader* saved) {
  if (state.counted.empty()) return;
  if (saved == nullptr || saved->floats() != floats_)
    throw std::invalid_argument("the states of the clients are not those of the federation's state");
  FloatBuffer values(floats_);
  for (const CountedClient& client : state.counted) {
    saved->read(client, values);
    KeptState& kept = states_.try_emplace(client.client, *slots_).first->second;
    kept.propose(client.counted - 1, values);
    (void)kept.settle(client.counted);
  }
}

void ClientStates::prepare(std::uint32_t client) {
  if (floats_ == 0) return;
  for (const std::uint32_t settled : std::exchange(settled_, {}))
    if (const auto found = states_.find(settled); found != states_.end()) found->second.forget_previous();
  states_.try_emplace(client, *slots_);
  played_.push_back(client);
}

void ClientStates::settle(const FederationState& state) {
  std::vector<std::uint32_t> at_work;
  for (const std::uint32_t client : std::exchange(played_, {})) {
    const auto found = states_.find(client);
    if (found == states_.end()) continue;
    if (std::ranges::binary_search(state.in_flight, client, {}, &TaskInFlight::client)) {
      at_work.push_back(client);
      continue;
    }
    const std::uint32_t name = counted(state, client);
    if (const std::string reason = found->second.settle(name); !reason.empty())
      throw std::logic_error("client " + std::to_string(client) + ": " + reason);
    if (name == 0)
      states_.erase(found);
    else
      settled_.push_back(client);
  }
  played_ = std::move(at_work);
}

void ClientStates::read(const CountedClient& client, std::span<float> values) const {
  const KeptState& kept = states_.at(client.client);
  for (const KeptState::Version* version : {&kept.current(), &kept.previous()})
    if (version->name == client.counted) return version->values.read(values);
  throw std::logic_error("client " + std::to_string(client.client) + ": " + kept.lacks(client.counted));
}

}  // namespace anybit
