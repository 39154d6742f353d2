#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/event_log.h"
#include "server/federation.h"
#include "sim/event_queue.h"
#include "sim/players.h"
#include "sim/transport.h"

namespace anybit {

/// Feeds a coordinator with the events of a log: every client that answered is trained again for its task, and its
/// update must have the checksum that the log has; rounds must be over where they are in the log. The log decides the
/// order; nothing else of the first run is used. Updates that came too late to count are not trained again.
class Replay {
 public:
  Replay(const Federation& federation, std::vector<LoggedEvent> events, int threads);

  /// Handles all events. Returns "" or what differs first, with the log's line.
  std::string run();
  const FederationState& state() const { return coordinator_.state(); }
  /// Updates so far of clients that had lost their state and began afresh, of which the log says nothing: an update
  /// that is other than the state would make it is tried with zeros.
  std::size_t begun_afresh() const { return begun_afresh_; }

 private:
  /// A task of the round in progress. It stays when it was answered: the same update may come again.
  struct Task {
    DueAnswer due;
    std::optional<std::uint32_t> answered;  // the checksum of its update
  };
  using Pending = std::map<std::uint32_t, Task>;  // by client

  std::string handle(std::size_t index);
  std::string handle_update(std::size_t index);
  std::string refuse(const LoggedEvent& event);
  void equip(const LoggedEvent& event);
  bool begins_afresh(DueAnswer& due, std::uint32_t crc);
  std::string handle_conclusion(const LoggedEvent& event);
  void play_from(std::size_t index);
  void feed(const Event& event, double time);

  const Federation& federation_;
  std::vector<LoggedEvent> events_;
  std::unique_ptr<Transport> transport_;
  Players players_;
  Coordinator coordinator_;
  Pending pending_;
  std::vector<std::unique_ptr<ReceivedUpdate>> boxes_;
  std::vector<Action> actions_;
  std::size_t begun_afresh_ = 0;
  std::uint32_t rounds_of_tasks_ = 0;       // one more than the latest that a task had
  std::optional<std::uint32_t> concluded_;  // a round that is over and has no line yet
};

/// "" where both hold the same version, rounds, parameters, strategy state, virtual time and tasks, byte for byte; else
/// what differs.
std::string compare_states(const FederationState& logged, const FederationState& replayed);

}  // namespace anybit
