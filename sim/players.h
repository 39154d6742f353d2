#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "server/federation.h"
#include "sim/client_states.h"
#include "sim/event_queue.h"
#include "sim/transport.h"

namespace anybit {

/// The threads that play clients. Each worker makes its Trainer on first use, inside itself (DESIGN D3), and keeps it
/// over rounds; which worker plays whom never reaches a result.
class Players {
 public:
  /// Borrows federation and transport. `folder`: of ClientStateRoom.
  Players(const Federation& federation, Transport& transport, int threads, std::string folder = {});
  ~Players();

  /// Plays every task of the wave and writes the answers into it: the client whose batches are cut first, with all
  /// threads; then the others, a thread each, largest first. Each needs its `update` to write to. Throws TransportError
  /// where a frame does not get through, or belongs to another task. `stop` is asked by all threads before each task;
  /// once it said so, no other begins. Whether all were played.
  bool play(std::span<DueAnswer* const> wave, const std::function<bool()>& stop = {});
  int threads() const { return threads_; }
  /// From now on this client's device can run these widths; none: those of its class of the fleet.
  void equip(std::uint32_t client, std::vector<int> widths);
  /// Those that it can run now; empty without a fleet.
  std::span<const int> widths(std::uint32_t client) const;
  /// What the clients keep. Whoever drives the coordinator tells it when a round is over.
  ClientStates& states() { return states_; }
  const ClientStates& states() const { return states_; }

 private:
  struct Worker;
  /// By worker `number`, with at most so many threads.
  void play_one(int number, DueAnswer& due, int threads);
  /// The task to the client, and its update back.
  void exchange(int number, DueAnswer& due, int threads);
  std::string train(Worker& worker, std::uint32_t client, const TaskMessage& task, int threads);

  const Federation& federation_;
  Transport& transport_;
  int threads_;
  ClientStates states_;
  std::map<std::uint32_t, std::vector<int>> widths_;  // of those who have others than their class
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::uint32_t> order_;
};

}  // namespace anybit
