#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "server/sessions.h"
#include "wire/message.h"

namespace anybit {

/// Who is here, and what each said of itself when it joined.
class Roster {
 public:
  void join(ConnectionId connection, const Hello& hello);
  void leave(ConnectionId connection);

  /// What the connection's Hello said; null where it is not here.
  const Hello* hello(ConnectionId connection) const;
  /// Clients that are played by those who are here.
  std::uint64_t clients() const { return clients_; }

 private:
  std::map<ConnectionId, Hello> present_;
  std::uint64_t clients_ = 0;
};

/// "client 3", or "clients 3 to 9".
std::string clients_text(ClientRange clients);

}  // namespace anybit
