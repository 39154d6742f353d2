// The files of one end, checked when they are read: a mistake in them would else show as a failed handshake, at a
// client far away. Start at TlsContext::TlsContext().
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#ifdef __aarch64__
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <new>
#include <stdexcept>

#include "wire/tls.h"

namespace anybit {
namespace {

constexpr long kChainBytes = 16 << 10;  // that a peer's certificates may have

template <auto function>
struct Free {
  template <class T>
  void operator()(T* object) const {
    function(object);
  }
};
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;
using File = std::unique_ptr<BIO, Free<BIO_free>>;
using Verification = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;

[[noreturn]] void refuse(const std::string& path, const std::string& reason) {
  throw std::runtime_error(path + ": " + reason);
}

void require(bool holds) {
  if (!holds) throw std::bad_alloc();  // what can go wrong inside OpenSSL when no peer and no file has a part in it
}

/// A key with a passphrase is a mistake here: nobody is asked for it.
int no_passphrase(char*, int, int, void*) { return -1; }

File open(const std::string& path, const std::string& what) {
  if (path.empty()) throw std::runtime_error("no file is given for the " + what);
  errno = 0;
  File file(BIO_new_file(path.c_str(), "r"));
  if (!file) {
    refuse(path, "the " + what + " cannot be read: " + (errno != 0 ? std::strerror(errno) : "not a file") +
                     "; scripts/provision makes it");
  }
  return file;
}

std::string day(const ASN1_TIME* time) {
  std::tm parts = {};
  std::array<char, 32> text = {};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return "an unknown day";
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M UTC", &parts)};
}

/// The first certificate of a file, valid today.
Certificate read_certificate(const std::string& path, const std::string& what) {
  const File file = open(path, what);
  Certificate certificate(PEM_read_bio_X509(file.get(), nullptr, no_passphrase, nullptr));
  if (!certificate) refuse(path, "holds no certificate in PEM");
  if (X509_cmp_current_time(X509_get0_notAfter(certificate.get())) < 0) {
    refuse(path, "the " + what + " expired on " + day(X509_get0_notAfter(certificate.get())) +
                     "; scripts/provision makes a new one");
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate.get())) > 0) {
    refuse(path, "the " + what + " is valid from " + day(X509_get0_notBefore(certificate.get())) +
                     " on; look at this machine's clock");
  }
  return certificate;
}

void check_key(const std::string& path, X509* certificate, const std::string& certificate_path) {
  const File file = open(path, "key");
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || (status.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    refuse(path, "others may use this key; type: chmod 600 " + path);
  const Key key(PEM_read_bio_PrivateKey(file.get(), nullptr, no_passphrase, nullptr));
  if (!key) refuse(path, "holds no private key in PEM without a passphrase");
  if (X509_check_private_key(certificate, key.get()) != 1)
    refuse(path, "does not fit the certificate " + certificate_path + "; take both from one folder");
}

/// What the peer will find, found here.
void check_issue(SSL_CTX* context, X509* certificate, TlsContext::Side side, const TlsSettings& settings) {
  const Verification verification(X509_STORE_CTX_new());
  STACK_OF(X509)* between = nullptr;  // belongs to the context
  SSL_CTX_get0_chain_certs(context, &between);
  require(verification &&
          X509_STORE_CTX_init(verification.get(), SSL_CTX_get_cert_store(context), certificate, between) == 1);
  const bool server = side == TlsContext::Side::kServer;
  X509_STORE_CTX_set_purpose(verification.get(), server ? X509_PURPOSE_SSL_SERVER : X509_PURPOSE_SSL_CLIENT);
  if (X509_verify_cert(verification.get()) == 1) return;
  const int error = X509_STORE_CTX_get_error(verification.get());
  if (error == X509_V_ERR_INVALID_PURPOSE)
    refuse(settings.certificate, server ? "is no server's certificate" : "is no client's certificate");
  refuse(settings.certificate, "does not hold by the CA " + settings.ca + " (" + X509_verify_cert_error_string(error) +
                                   "); take both from one folder");
}

/// Whoever connects chooses among these, the first that both know. Without instructions for AES, ChaCha20 is several
/// times faster.
const char* ciphers(TlsContext::Side side) {
#ifdef __aarch64__
  if (side == TlsContext::Side::kClient && (getauxval(AT_HWCAP) & HWCAP_AES) == 0)
    return "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
#endif
  static_cast<void>(side);
  return "TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384";
}

void set_rules(SSL_CTX* context, TlsContext::Side side) {
  require(SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1);
  require(SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1);
  require(SSL_CTX_set_ciphersuites(context, ciphers(side)) == 1);
  // Nothing is resumed: each connection shows its certificate anew, so that a revoked one has no way round.
  require(SSL_CTX_set_num_tickets(context, 0) == 1);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, kChainBytes);
  // Idle connections hold no buffers; a write may be repeated from another place, and ends with each record. Without
  // auto-retry, messages without data cannot keep a read from returning.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
  SSL_CTX_set_read_ahead(context, 1);
}

}  // namespace

void TlsContext::Free::operator()(SSL_CTX* handle) const { SSL_CTX_free(handle); }

TlsContext::TlsContext(const TlsSettings& settings, Side side) : side_(side) {
  ERR_clear_error();
  handle_.reset(SSL_CTX_new(side == Side::kServer ? TLS_server_method() : TLS_client_method()));
  require(handle_ != nullptr);
  SSL_CTX* context = handle_.get();
  set_rules(context, side);
  read_certificate(settings.ca, "CA's certificate");
  const Certificate certificate = read_certificate(settings.certificate, "certificate");
  check_key(settings.key, certificate.get(), settings.certificate);
  if (SSL_CTX_load_verify_file(context, settings.ca.c_str()) != 1) refuse(settings.ca, "holds what is no certificate");
  if (SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1)
    refuse(settings.certificate, "cannot be used as a certificate");
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) != 1)
    refuse(settings.key, "cannot be used as a key");
  check_issue(context, certificate.get(), side, settings);
  if (!settings.allowed.empty()) allowed_.emplace(settings.allowed);
  ERR_clear_error();
}

TlsContext::~TlsContext() = default;

}  // namespace anybit
