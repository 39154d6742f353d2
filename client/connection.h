#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "wire/message.h"
#include "wire/tls.h"

namespace anybit {

/// A client's connection to a server, for one thread: no call waits longer than its timeout, except that looking up a
/// host name cannot be broken off (a numeric address needs no look-up). What is queued goes out, and what arrives is
/// taken in, whenever a call waits: a server that leaves a large update unread until its turn comes is still heard.
/// Plain TCP, or TLS. All calls return "" or the reason of the failure.
class Connection {
 public:
  using Timeout = std::chrono::milliseconds;

  /// With `tls`, never plain. Throws std::runtime_error for its files, as TlsContext does.
  explicit Connection(FrameLimits limits = {}, const std::optional<TlsSettings>& tls = {});
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Connects anew; an open connection is closed first. With TLS, the server's certificate must be for `host`. That the
  /// server refuses this end's shows only when something is received.
  std::string connect(const std::string& host, std::uint16_t port, Timeout timeout);
  /// Says Hello and waits for the Welcome. A server's refusal is the reason.
  std::string greet(const Hello& hello, Welcome& welcome, Timeout timeout);
  /// The same for who looks into a refusal himself: the answer is a Welcome or a Goodbye.
  std::string greet(const Hello& hello, Message& answer, Timeout timeout);
  /// Queues a frame behind those that wait, for the time in which receive() waits. Where it cannot go out, the reason
  /// is that of a receive(), or of the next send().
  void queue(std::shared_ptr<const Bytes> frame);
  /// Whether all that was queued has gone out, or never will.
  bool has_sent_all() const;
  /// Sends all that is queued and, behind it, a whole frame. A timeout closes the connection; after another failure
  /// what the server said last can be received.
  std::string send(std::span<const std::uint8_t> frame, Timeout timeout);
  /// Waits for a whole frame. Where nothing at all came in time the connection stays open and can be asked again;
  /// every other failure closes it, and to what is no frame the reason is said (Goodbye). `message` keeps the capacity
  /// of its vectors where the kind is the same; its bulk bytes are a view that is good until the next call.
  std::string receive(Message& message, Timeout timeout);
  /// The same, but a frame may come slowly: what came of it in time is kept, the connection stays open, and it is
  /// closed only where `whole` is over since the frame began.
  std::string receive(Message& message, Timeout timeout, Timeout whole);
  /// When bytes came last on this connection.
  std::chrono::steady_clock::time_point last_heard() const;

  /// How large the body of a frame may be that is received from now on.
  void limit_body(std::size_t bytes);

  bool is_open() const;
  /// Whether the last failure was that one of the ends is not who the other wants, or speaks another protocol: it comes
  /// again with every try, unlike failures of the network.
  bool refused() const;
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anybit
