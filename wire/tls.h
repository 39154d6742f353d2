#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "wire/allow_list.h"
#include "wire/byte_stream.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX, by name alone

namespace anybit {

/// PEM files; scripts/provision makes them.
struct TlsSettings {
  std::string ca;            // whose certificates are believed
  std::string certificate;   // that this end shows, with what stands between it and the CA
  std::string key;           // of the certificate; a file that others may read is refused
  std::string allowed = {};  // a server's AllowList; empty: every client with a certificate of the CA
};

/// Why a TLS connection is refused.
enum class TlsFailure {
  kPlainPeer = 1,
  kTlsPeer,  // and this end speaks plain
  kOldVersion,
  kNoCertificate,
  kOtherAuthority,
  kExpired,
  kNotYetValid,
  kWrongHost,
  kNotAllowed,
  kWrongPurpose,
  kBadCertificate,
  kOtherClient,  // its Hello names another client than its certificate
  kBroken,       // what arrives is not what TLS 1.3 prescribes
  // What the peer said of this end's certificate.
  kToldNoCertificate,
  kToldOtherAuthority,
  kToldExpired,
  kToldWrongHost,
  kToldNotAllowed,
  kToldWrongPurpose,
  kToldBadCertificate,
  kToldBroken,
};

/// One plain sentence, in which the other end is called `peer`.
std::string describe(TlsFailure failure, const std::string& peer);
std::error_code make_error_code(TlsFailure failure);
/// None where the error is another one: of the network, say.
std::optional<TlsFailure> tls_failure(const std::error_code& error);

/// Whether the first bytes of a connection are those of TLS.
bool looks_like_tls(std::span<const std::uint8_t> bytes);

/// What all connections of one end have in common: its certificate, and whom it believes. TLS 1.3 alone, certificates
/// on both sides, no resumption.
class TlsContext {
 public:
  enum class Side { kServer, kClient };

  /// Reads the files. Throws std::runtime_error with path, reason and what to do: unreadable, not PEM, expired, key and
  /// certificate that do not belong together, certificate that the CA has not issued for this side.
  TlsContext(const TlsSettings& settings, Side side);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  Side side() const { return side_; }
  ssl_ctx_st* handle() const { return handle_.get(); }
  /// Of a peer whose certificate holds.
  bool allows(const PeerIdentity& peer) const { return !allowed_ || allowed_->holds(peer); }
  /// Whether the allow-list has changed, and was read again.
  bool look_again() { return allowed_ && allowed_->look_again(); }
  /// What was wrong with the allow-list when it was read last; "" where nothing was.
  std::string mistake_of_list() const { return allowed_ ? allowed_->mistake() : ""; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* handle) const;
  };
  const Side side_;
  std::unique_ptr<ssl_ctx_st, Free> handle_;
  std::optional<AllowList> allowed_;
};

/// Encrypted bytes. The handshake ends with a TlsFailure where the peer is not who it should be; a peer that refuses
/// this end's certificate may be heard of only by the first read. A client names the `host` that the server's
/// certificate must be for, a DNS name or an address. `context` must live as long as the stream.
///
/// After a handshake that failed, what is written goes out in plain where the peer speaks plain, so that it can be told
/// why, and nowhere otherwise; what is read means nothing.
std::unique_ptr<ByteStream> make_tls_stream(TcpSocket&& socket, const TlsContext& context,
                                            const std::string& host = {});

}  // namespace anybit

template <>
struct std::is_error_code_enum<anybit::TlsFailure> : std::true_type {};
