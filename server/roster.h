#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "server/sessions.h"
#include "wire/message.h"

namespace anybit {

/// Who is here, what each said of itself when it joined, and who is not here any more. Costs what a Hello claims, for
/// each that joins or leaves; to ask costs nothing.
class Roster {
 public:
  using Clock = std::chrono::steady_clock;

  void join(ConnectionId connection, const Hello& hello);
  /// Its clients are missed from then on; one that was told when to come again, from when that is due.
  void leave(ConnectionId connection, Clock::time_point missed = Clock::now());
  /// These were here in another process's time: they are missed from now on, until they come.
  void expect(ClientRange clients);
  /// None of these is missed, should it be away.
  void excuse(ClientRange clients);

  /// What the connection's Hello said; null where it is not here.
  const Hello* hello(ConnectionId connection) const;
  /// The newest connection that plays the client; 0 where there is none.
  ConnectionId playing(std::uint32_t client) const;
  /// Clients that are here: each once, though a line that is dead may still be open beside the one it came back on.
  std::uint64_t clients() const { return here_; }
  /// Clients that were here at any time.
  std::uint64_t came() const { return came_; }
  const std::map<ConnectionId, Hello>& present() const { return present_; }
  /// Clients that were here, are missed since this moment or will be, are not back and were not excused. Looks at all.
  std::uint64_t missing(Clock::time_point since) const;
  /// From when on nobody will have been missing for less than this time, should nobody else leave: at the earliest for
  /// as long from now. Looks at all.
  Clock::time_point missing_until(std::chrono::seconds lately) const;

 private:
  struct Client {
    ConnectionId newest = 0;
    std::uint32_t connections = 0;
    bool came = false;
    std::optional<Clock::time_point> missed = {};  // since then; none: nobody misses it
  };

  std::map<ConnectionId, Hello> present_;
  std::vector<Client> clients_;  // by number, as far as anybody was here or is expected
  std::uint64_t here_ = 0;
  std::uint64_t came_ = 0;
};

/// "client 3", or "clients 3 to 9".
std::string clients_text(ClientRange clients);

}  // namespace anybit
