#include "wire/tls.h"

#include <asio/error.hpp>
#include <string_view>

namespace anybit {
namespace {

/// What is said of the peer, whose name goes in front.
std::string_view predicate(TlsFailure failure) {
  switch (failure) {
    case TlsFailure::kPlainPeer: return " speaks plain, and TLS is required";
    case TlsFailure::kTlsPeer: return " speaks TLS, and plain is expected";
    case TlsFailure::kOldVersion: return " does not speak TLS 1.3";
    case TlsFailure::kNoCertificate: return " shows no certificate";
    case TlsFailure::kOtherAuthority: return "'s certificate was issued by another CA";
    case TlsFailure::kExpired: return "'s certificate has expired";
    case TlsFailure::kNotYetValid: return "'s certificate is not valid yet: look at the clocks of both machines";
    case TlsFailure::kWrongHost: return "'s certificate is not for the name or address that it was reached by";
    case TlsFailure::kNotAllowed: return "'s certificate is not on the allow-list, or was revoked";
    case TlsFailure::kWrongPurpose: return "'s certificate is not for its side: a client's of a server, or the reverse";
    case TlsFailure::kBadCertificate: return "'s certificate does not hold";
    case TlsFailure::kOtherClient: return " plays another client than its certificate names";
    case TlsFailure::kBroken: return " breaks the rules of TLS";
    case TlsFailure::kToldNoCertificate: return " asks for a certificate, and was shown none";
    case TlsFailure::kToldOtherAuthority: return " refuses the certificate that it was shown: issued by another CA";
    case TlsFailure::kToldExpired: return " refuses the certificate that it was shown: expired, or not valid yet";
    case TlsFailure::kToldWrongHost:
      return " refuses the certificate that it was shown: not for the name or address that it asked for";
    case TlsFailure::kToldNotAllowed:
      return " refuses the certificate that it was shown: not on its allow-list, or revoked";
    case TlsFailure::kToldWrongPurpose: return " refuses the certificate that it was shown: for the other side";
    case TlsFailure::kToldBadCertificate: return " refuses the certificate that it was shown";
    case TlsFailure::kToldBroken: return " broke off the TLS handshake";
  }
  return " failed in TLS";
}

class TlsCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "tls"; }
  std::string message(int value) const override { return describe(static_cast<TlsFailure>(value), "the peer"); }
};

const std::error_category& category() {
  static const TlsCategory only;
  return only;
}

}  // namespace

std::string describe(TlsFailure failure, const std::string& peer) { return peer + std::string(predicate(failure)); }

std::error_code make_error_code(TlsFailure failure) { return {static_cast<int>(failure), category()}; }

std::optional<TlsFailure> tls_failure(const std::error_code& error) {
  if (error.category() != category()) return std::nullopt;
  return static_cast<TlsFailure>(error.value());
}

std::string describe(const std::error_code& error, const std::string& peer) {
  if (const std::optional<TlsFailure> failure = tls_failure(error)) return describe(*failure, peer);
  return error == asio::error::eof ? peer + " closed the connection" : error.message();
}

bool looks_like_tls(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t kAlert = 0x15;
  constexpr std::uint8_t kHandshake = 0x16;
  constexpr std::uint8_t kMajorVersion = 3;
  return bytes.size() >= 2 && (bytes[0] == kAlert || bytes[0] == kHandshake) && bytes[1] == kMajorVersion;
}

}  // namespace anybit
