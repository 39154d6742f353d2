#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "wire/message.h"

namespace anybit {

/// A client's connection to a server, for one thread: each call waits, and none longer than its timeout, except that
/// looking up a host name cannot be broken off (a numeric address needs no look-up). Plain TCP.
/// All calls return "" or the reason of the failure.
class Connection {
 public:
  using Timeout = std::chrono::milliseconds;

  explicit Connection(FrameLimits limits = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Connects anew; an open connection is closed first.
  std::string connect(const std::string& host, std::uint16_t port, Timeout timeout);
  /// Says Hello and waits for the Welcome. A server's refusal is the reason.
  std::string greet(const Hello& hello, Welcome& welcome, Timeout timeout);
  /// A whole frame. A timeout closes the connection; after another failure what the server said last can be received.
  std::string send(std::span<const std::uint8_t> frame, Timeout timeout);
  /// Waits for a whole frame. Where nothing at all came in time the connection stays open and can be asked again;
  /// every other failure closes it. `message` keeps the capacity of its vectors where the kind is the same; its bulk
  /// bytes are a view that is good until the next call.
  std::string receive(Message& message, Timeout timeout);

  bool is_open() const;
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anybit
