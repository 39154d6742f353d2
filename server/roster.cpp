#include "server/roster.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace anybit {
namespace {

ClientRange clients_of(const Hello& hello) { return {hello.client, hello.clients}; }

}  // namespace

const Hello* Roster::hello(ConnectionId connection) const {
  const auto found = present_.find(connection);
  return found == present_.end() ? nullptr : &found->second;
}

ConnectionId Roster::playing(std::uint32_t client) const {
  return client < clients_.size() ? clients_[client].newest : 0;
}

void Roster::join(ConnectionId connection, const Hello& hello) {
  leave(connection);
  present_.emplace(connection, hello);
  const std::size_t end = std::size_t{hello.client} + hello.clients;
  if (clients_.size() < end) clients_.resize(end);
  for (std::size_t number = hello.client; number < end; ++number) {
    Client& client = clients_[number];
    if (++client.connections == 1) ++here_;
    if (!std::exchange(client.came, true)) ++came_;
    client.newest = std::max(client.newest, connection);
    client.missed.reset();
  }
}

void Roster::leave(ConnectionId connection, Clock::time_point missed) {
  const auto found = present_.find(connection);
  if (found == present_.end()) return;
  const ClientRange left = clients_of(found->second);
  present_.erase(found);
  for (std::uint32_t number = left.first; left.holds(number); ++number) {
    Client& client = clients_[number];
    if (--client.connections == 0) {
      --here_;
      client.missed = missed;
      client.newest = 0;
    } else if (client.newest == connection) {
      client.newest = std::find_if(present_.rbegin(), present_.rend(), [&](const auto& entry) {
                        return clients_of(entry.second).holds(number);
                      })->first;
    }
  }
}

void Roster::expect(ClientRange clients) {
  const std::size_t end = std::size_t{clients.first} + clients.count;
  if (clients_.size() < end) clients_.resize(end);
  for (std::size_t number = clients.first; number < end; ++number) clients_[number].missed = Clock::now();
}

void Roster::excuse(ClientRange clients) {
  for (std::uint32_t number = clients.first; clients.holds(number) && number < clients_.size(); ++number)
    clients_[number].missed.reset();
}

std::uint64_t Roster::missing(Clock::time_point since) const {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(clients_, [&](const Client& client) { return client.missed && *client.missed >= since; }));
}

Roster::Clock::time_point Roster::missing_until(std::chrono::seconds lately) const {
  Clock::time_point last = Clock::now();
  for (const Client& client : clients_) last = std::max(last, client.missed.value_or(last));
  return last + lately;
}

std::string clients_text(ClientRange clients) {
  if (clients.count == 1) return fmt::format("client {}", clients.first);
  return fmt::format("clients {} to {}", clients.first, clients.first + clients.count - 1);
}

}  // namespace anybit
