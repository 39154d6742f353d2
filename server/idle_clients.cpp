#include "server/idle_clients.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "server/client_permutation.h"

namespace anybit {
namespace {

/// Where so many can be reached, walking an order meets one of them sooner than a look at all of them takes.
constexpr std::size_t kMany = 1024;

}  // namespace

IdleClients::IdleClients(const FederationPlan& plan, std::uint32_t remembered)
    : plan_(plan), remembered_(remembered + kMany) {}

std::optional<std::uint32_t> IdleClients::choose(std::uint32_t number, double now, const IsIdle& is_idle) {
  if (known_until_ && now < *known_until_ && known_.size() <= kMany) return choose_known(number, now, is_idle);
  forget();
  const ClientPermutation order({.seed = plan_.seed, .purpose = Purpose::kCohort, .round = number}, plan_.clients);
  for (std::uint32_t place = 0; place < plan_.clients; ++place) {
    const std::uint32_t client = order.client(place);
    if (is_idle(client) && plan_.reachability(client, now)) return client;
  }
  remember_turns(now, is_idle);
  return std::nullopt;
}

double IdleClients::next_turn() const {
  const double known = known_until_.value_or(kNever);
  return coming_.empty() ? known : std::min(known, coming_.begin()->first);
}

void IdleClients::free(std::uint32_t client) {
  if (known_until_) known_.push_back(client);
}

/// The same as a walk would find.
std::optional<std::uint32_t> IdleClients::choose_known(std::uint32_t number, double now, const IsIdle& is_idle) {
  for (; !coming_.empty() && coming_.begin()->first <= now; coming_.erase(coming_.begin()))
    known_.push_back(coming_.begin()->second);
  const ClientPermutation order({.seed = plan_.seed, .purpose = Purpose::kCohort, .round = number}, plan_.clients);
  std::optional<std::uint32_t> first;
  std::uint32_t first_place = 0;
  const auto is_out_of_reach = [&](std::uint32_t client) {
    if (!is_idle(client)) return true;  // it will be freed again
    if (!plan_.reachability(client, now)) {
      const double turn = plan_.reachability.next(client, now);
      if (turn < *known_until_) coming_.emplace(turn, client);
      return true;
    }
    const std::uint32_t place = order.place(client);
    if (!first || place < first_place) first = client, first_place = place;
    return false;
  };
  std::erase_if(known_, is_out_of_reach);
  if (first) std::erase(known_, *first);
  return first;
}

void IdleClients::remember_turns(double now, const IsIdle& is_idle) {
  double until = kNever;
  for (std::uint32_t client = 0; client < plan_.clients; ++client) {
    if (!is_idle(client)) continue;
    const Turn turn{plan_.reachability.next(client, now), client};
    const bool is_full = coming_.size() == remembered_;
    if (std::isinf(turn.first) || (is_full && turn > *coming_.rbegin())) {
      until = std::min(until, turn.first);
      continue;
    }
    if (is_full) {
      until = std::min(until, coming_.rbegin()->first);
      coming_.erase(std::prev(coming_.end()));
    }
    coming_.insert(turn);
  }
  known_until_ = until;
}

void IdleClients::forget() {
  known_until_.reset();
  coming_.clear();
  known_.clear();
}

}  // namespace anybit
