#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>

namespace anybit {

/// A place in what one side sends: byte `at` of the first frame of a kind (FORMAT.md has their numbers). Before byte 7
/// no frame tells its kind: there it is the first frame for kind 1, and the second for every other.
struct FramePlace {
  bool of_server = false;
  int kind = 1;
  std::size_t at = 0;
};

/// What is done to one connection.
struct Impairment {
  std::chrono::milliseconds delay{0};               // of every byte, in each direction
  std::optional<FramePlace> cut = {};               // both sides see the connection end here
  bool reset = false;                               // by a reset
  std::optional<FramePlace> stall = {};             // from here on nothing passes in this direction
  std::chrono::milliseconds stall_time{1U << 30U};  // for so long
};

/// A network that misbehaves: listens on loopback and hands what comes on to a server, both ways, in a thread of its
/// own that ends with this object.
class ImpairingProxy {
 public:
  /// What is done to the n-th connection, counted from 0. Called from the proxy's thread.
  using Plan = std::function<Impairment(int connection)>;

  ImpairingProxy(int server_port, Plan plan);
  ~ImpairingProxy();
  ImpairingProxy(const ImpairingProxy&) = delete;
  ImpairingProxy& operator=(const ImpairingProxy&) = delete;

  int port() const { return port_; }
  /// Connections so far.
  int connections() const { return connections_; }

 private:
  class Link;
  void run();
  void accept();

  const int server_port_;
  const Plan plan_;
  int listener_ = -1;
  int port_ = 0;
  std::vector<std::unique_ptr<Link>> links_;
  std::atomic<int> connections_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace anybit
