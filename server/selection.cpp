#include "server/selection.h"

#include <algorithm>

namespace anybit {

Selection::Selection(const DrawName& name, std::uint32_t clients, std::uint32_t selected)
    : name_(name), clients_(clients), selected_(selected), standings_(selected, Standing::kOutstanding) {
  ClientOrder order(name, clients);
  for (std::uint32_t& client : selected_) client = order.next();
  std::ranges::sort(selected_);
}

Standing* Selection::find(std::uint32_t client) {
  const auto found = std::ranges::lower_bound(selected_, client);
  if (found != selected_.end() && *found == client)
    return &standings_[static_cast<std::size_t>(found - selected_.begin())];
  const auto replacement = replacements_.find(client);
  return replacement == replacements_.end() ? nullptr : &replacement->second;
}

std::optional<std::uint32_t> Selection::replace() {
  if (!order_) {
    order_.emplace(name_, clients_);
    for (std::size_t drawn = 0; drawn < selected_.size(); ++drawn) order_->next();
  }
  if (order_->done()) return std::nullopt;
  const std::uint32_t client = order_->next();
  replacements_.emplace(client, Standing::kOutstanding);
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
