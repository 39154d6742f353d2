#include "sim/client_state_cost.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "program/quantity_text.h"
#include "sim/client_states.h"

namespace anybit {
namespace {

double counted_in_the_end(const Federation& federation) {
  const Scenario& scenario = federation.scenario;
  return std::min<double>(scenario.data.clients,
                          static_cast<double>(scenario.federation.rounds) * scenario.federation.cohort);
}

/// Those that train, and those whose updates wait for the rest of their version's.
double at_work(const Federation& federation) {
  const Scenario::Federation& settings = federation.scenario.federation;
  if (const std::optional<Asynchrony> asynchrony = federation.plan().asynchrony)
    return static_cast<double>(asynchrony->concurrency) + settings.cohort - 1;
  return static_cast<double>(
      selected_clients(static_cast<std::uint64_t>(settings.cohort), settings.policy.over_selection));
}

}  // namespace

double client_bytes(const Federation& federation) {
  return 4.0 * static_cast<double>(client_floats(federation.training.method, *federation.training.layout));
}

ClientStateCost client_state_cost(const Federation& federation) {
  ClientStateCost cost;
  cost.each = client_bytes(federation);
  if (cost.each == 0) return cost;
  const double counted = counted_in_the_end(federation);
  cost.states = counted + at_work(federation);
  const auto memory = static_cast<double>(federation.scenario.limits.client_memory);
  const double in_memory = std::min(cost.states, std::floor(memory / cost.each));
  cost.memory = in_memory * cost.each;
  cost.disk = (cost.states - in_memory) * cost.each;
  cost.index = std::min(cost.states, static_cast<double>(federation.scenario.data.clients)) * ClientStates::kIndexBytes;
  return cost;
}

void refuse_large_client_states(const Federation& federation) {
  const ClientStateCost cost = client_state_cost(federation);
  const Scenario::Limits& limits = federation.scenario.limits;
  const auto most = static_cast<double>(limits.client_state);
  if (cost.total() <= most) return;
  throw key_mistake(limits.client_state_where, "limits.client_state",
                    fmt::format("{} is less than what clients may keep between their rounds, {} ({} states of {}); "
                                "raise it where the disk has room, or take fewer clients or rounds, a smaller cohort "
                                "or a smaller network",
                                bytes_text(most), bytes_text(cost.total()), cost.states, bytes_text(cost.each)));
}

}  // namespace anybit
