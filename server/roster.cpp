#include "server/roster.h"

#include <fmt/format.h>

namespace anybit {

const Hello* Roster::hello(ConnectionId connection) const {
  const auto found = present_.find(connection);
  return found == present_.end() ? nullptr : &found->second;
}

std::uint64_t Roster::clients() const {
  std::uint64_t sum = 0;
  for (const auto& [connection, hello] : present_) sum += hello.clients;
  return sum;
}

std::string clients_text(ClientRange clients) {
  if (clients.count == 1) return fmt::format("client {}", clients.first);
  return fmt::format("clients {} to {}", clients.first, clients.first + clients.count - 1);
}

}  // namespace anybit
