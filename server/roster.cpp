#include "server/roster.h"

#include <fmt/format.h>

namespace anybit {

const Hello* Roster::hello(ConnectionId connection) const {
  const auto found = present_.find(connection);
  return found == present_.end() ? nullptr : &found->second;
}

void Roster::join(ConnectionId connection, const Hello& hello) {
  leave(connection);
  present_.emplace(connection, hello);
  clients_ += hello.clients;
}

void Roster::leave(ConnectionId connection) {
  const auto found = present_.find(connection);
  if (found == present_.end()) return;
  clients_ -= found->second.clients;
  present_.erase(found);
}

std::string clients_text(ClientRange clients) {
  if (clients.count == 1) return fmt::format("client {}", clients.first);
  return fmt::format("clients {} to {}", clients.first, clients.first + clients.count - 1);
}

}  // namespace anybit
