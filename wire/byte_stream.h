#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <system_error>

// Asio's TCP socket by its name alone: Asio itself appears in .cpp files only.
namespace asio {
class any_io_executor;
template <typename Protocol, typename Executor>
class basic_stream_socket;
namespace ip {
class tcp;
}
}  // namespace asio

namespace anybit {

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, asio::any_io_executor>;

/// Who a peer is, as the certificate says that it has shown.
struct PeerIdentity {
  std::string name;         // the subject's common name: client-3
  std::string fingerprint;  // SHA-256 of the certificate, in lower-case hexadecimal
};

/// What carries a connection's bytes, plain or encrypted. Each operation ends by one call of its Done, from the
/// socket's io_context and never before the call that started it has returned; until then the stream and the bytes
/// given stay where they are. One operation of each kind may be under way at a time.
class ByteStream {
 public:
  /// How it ended, and how many bytes were read or written.
  using Done = std::function<void(const std::error_code& error, std::size_t bytes)>;
  /// One behind the other; either may be empty.
  using Pieces = std::array<std::span<const std::uint8_t>, 2>;

  virtual ~ByteStream() = default;
  /// Finds out who the peer is. Once, before all else.
  virtual void handshake(Done done) = 0;
  /// At least one byte, from where it arrived straight into `into`.
  virtual void read_some(std::span<std::uint8_t> into, Done done) = 0;
  /// All of them, from where they lie.
  virtual void write(const Pieces& pieces, Done done) = 0;
  /// Tells the peer that nothing more will be written. Not while a write is under way.
  virtual void shutdown() = 0;
  /// Ends what is under way with asio::error::operation_aborted.
  virtual void cancel() = 0;
  /// The same, and closes the socket.
  virtual void close() = 0;
  /// Once the handshake is done; null where bytes are plain.
  virtual const PeerIdentity* peer() const = 0;
};

/// The bytes as they are: the handshake succeeds without a byte.
std::unique_ptr<ByteStream> make_plain_stream(TcpSocket&& socket);

/// An operation's error as a reason, in which the other end is called `peer`.
std::string describe(const std::error_code& error, const std::string& peer);

}  // namespace anybit
