#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

struct bio_st;  // OpenSSL's BIO, by name alone

namespace anybit {

/// What OpenSSL reads from and writes to: a socket that does not block. Remembers what OpenSSL does not tell: how the
/// connection began and how it ended. Never raises SIGPIPE.
class TlsSocket {
 public:
  explicit TlsSocket(int descriptor) : descriptor_(descriptor) {}

  /// For SSL_set_bio(), which takes it; this object must live longer.
  bio_st* make_bio();

  /// As recv() and send(): bytes, 0 at the end, negative with errno.
  long read(std::span<std::uint8_t> into);
  long write(std::span<const std::uint8_t> bytes);

  /// Whether the peer's first byte is none that TLS begins with.
  bool peer_is_plain() const { return heard_ > 0 && !is_tls_; }
  bool ended() const { return ended_; }
  int last_error() const { return last_error_; }

 private:
  static constexpr std::size_t kStart = 9;  // a record's header, and that of the handshake's first message
  void look_at_start(std::span<const std::uint8_t> bytes);

  const int descriptor_;
  std::array<std::uint8_t, kStart> start_ = {};
  std::size_t heard_ = 0;  // bytes of start_
  bool is_tls_ = true;
  bool is_sane_ = true;
  bool ended_ = false;
  int last_error_ = 0;
};

}  // namespace anybit
