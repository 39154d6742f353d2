#include "wire/tls_verdict.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <array>
#include <cstring>

namespace anybit {
namespace {

TlsFailure failure_of_alert(int alert) {
  switch (alert) {
    case SSL_AD_PROTOCOL_VERSION: return TlsFailure::kOldVersion;
    case SSL_AD_CERTIFICATE_REQUIRED: return TlsFailure::kToldNoCertificate;
    case SSL_AD_UNKNOWN_CA: return TlsFailure::kToldOtherAuthority;
    case SSL_AD_CERTIFICATE_EXPIRED: return TlsFailure::kToldExpired;
    case SSL_AD_CERTIFICATE_UNKNOWN: return TlsFailure::kToldWrongHost;
    case SSL_AD_CERTIFICATE_REVOKED: return TlsFailure::kToldNotAllowed;
    case SSL_AD_UNSUPPORTED_CERTIFICATE: return TlsFailure::kToldWrongPurpose;
    case SSL_AD_BAD_CERTIFICATE: return TlsFailure::kToldBadCertificate;
    default: return TlsFailure::kToldBroken;
  }
}

/// The text of the only common name; empty where there is none, or several, or one with a zero in it.
std::string common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int place = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (place < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, place) >= 0) return "";
  unsigned char* text = nullptr;
  const int bytes = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, place)));
  if (bytes < 0) return "";
  std::string name(reinterpret_cast<const char*>(text), static_cast<std::size_t>(bytes));
  OPENSSL_free(text);
  return name.find('\0') == std::string::npos ? name : "";
}

}  // namespace

TlsFailure failure_of_verification(int error) {
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return TlsFailure::kExpired;
    case X509_V_ERR_CERT_NOT_YET_VALID: return TlsFailure::kNotYetValid;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return TlsFailure::kWrongHost;
    case X509_V_ERR_INVALID_PURPOSE: return TlsFailure::kWrongPurpose;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:  // two CAs of one name
    case X509_V_ERR_INVALID_CA: return TlsFailure::kOtherAuthority;
    default: return TlsFailure::kBadCertificate;
  }
}

int verification_error_of(TlsFailure failure) {
  switch (failure) {
    case TlsFailure::kExpired:
    case TlsFailure::kNotYetValid: return X509_V_ERR_CERT_HAS_EXPIRED;
    case TlsFailure::kOtherAuthority: return X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY;
    case TlsFailure::kWrongHost: return X509_V_ERR_NO_EXPLICIT_POLICY;  // has no alert of its own: certificate_unknown
    case TlsFailure::kNotAllowed: return X509_V_ERR_CERT_REVOKED;
    case TlsFailure::kWrongPurpose: return X509_V_ERR_INVALID_PURPOSE;
    default: return X509_V_ERR_CERT_REJECTED;
  }
}

TlsFailure failure_of_errors() {
  const unsigned long error = ERR_peek_error();
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return TlsFailure::kBroken;
  const int reason = ERR_GET_REASON(error);
  if (reason >= SSL_AD_REASON_OFFSET) return failure_of_alert(reason - SSL_AD_REASON_OFFSET);
  switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_WRONG_SSL_VERSION:
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_VERSION_TOO_LOW: return TlsFailure::kOldVersion;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE: return TlsFailure::kNoCertificate;
    default: return TlsFailure::kBroken;
  }
}

PeerIdentity identity_of(const X509* certificate) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned int bytes = 0;
  PeerIdentity identity{.name = common_name(certificate), .fingerprint = {}};
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &bytes) != 1) return identity;
  for (const unsigned char byte : std::span(digest).first(bytes)) {
    identity.fingerprint.push_back(kDigits[byte >> 4]);
    identity.fingerprint.push_back(kDigits[byte & 15]);
  }
  return identity;
}

}  // namespace anybit
