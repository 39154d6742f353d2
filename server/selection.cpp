#include "server/selection.h"

#include <algorithm>

namespace anybit {

namespace {

/// The next one that can be reached.
std::optional<std::uint32_t> draw(ClientOrder& order, const IsReachable& reachable) {
  while (!order.done()) {
    const std::uint32_t client = order.next();
    if (reachable(client)) return client;
  }
  return std::nullopt;
}

}  // namespace

Selection::Selection(const DrawName& name, std::uint32_t clients, std::uint32_t selected, const IsReachable& reachable)
    : name_(name), clients_(clients) {
  ClientOrder order(name, clients);
  selected_.reserve(selected);
  while (selected_.size() < selected) {
    const std::optional<std::uint32_t> client = draw(order, reachable);
    if (!client) break;
    selected_.push_back(*client);
  }
  drawn_ = order.drawn();
  std::ranges::sort(selected_);
  standings_.assign(selected_.size(), Standing::kOutstanding);
}

Standing* Selection::find(std::uint32_t client) {
  const auto found = std::ranges::lower_bound(selected_, client);
  if (found != selected_.end() && *found == client)
    return &standings_[static_cast<std::size_t>(found - selected_.begin())];
  const auto replacement = replacements_.find(client);
  return replacement == replacements_.end() ? nullptr : &replacement->second;
}

std::optional<std::uint32_t> Selection::replace(const IsReachable& reachable) {
  if (!order_) {
    order_.emplace(name_, clients_);
    for (std::uint32_t i = 0; i < drawn_; ++i) order_->next();
  }
  const std::optional<std::uint32_t> client = draw(*order_, reachable);
  if (client) replacements_.emplace(*client, Standing::kOutstanding);
  return client;
}

std::vector<std::uint32_t> Selection::clients(Standing standing) const {
  std::vector<std::uint32_t> clients;
  for (std::size_t i = 0; i < selected_.size(); ++i)
    if (standings_[i] == standing) clients.push_back(selected_[i]);
  for (const auto& [client, its] : replacements_)
    if (its == standing) clients.push_back(client);
  std::ranges::sort(clients);
  return clients;
}

}  // namespace anybit
