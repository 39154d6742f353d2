#include "wire/tls_folder.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <charconv>
#include <memory>
#include <stdexcept>

#include "wire/tls_verdict.h"

namespace anybit {

TlsSettings tls_folder(const std::string& folder, TlsContext::Side side) {
  const std::string file = folder + (side == TlsContext::Side::kServer ? "/server" : "/client");
  TlsSettings settings{folder + "/ca.crt", file + ".crt", file + ".key"};
  if (side == TlsContext::Side::kServer) settings.allowed = folder + "/allowed";
  return settings;
}

std::optional<std::uint32_t> client_of_certificate(const std::string& path) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(path.c_str(), "r"), BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(
      file ? PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr) : nullptr, X509_free);
  if (!certificate)
    throw std::runtime_error(path + ": the certificate cannot be read; scripts/provision makes a client's folder");
  return client_of_name(identity_of(certificate.get()).name);
}

std::optional<std::uint32_t> client_of_name(const std::string& name) {
  constexpr std::string_view kStart = "client-";
  std::uint32_t client = 0;
  if (!name.starts_with(kStart)) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data() + kStart.size(), name.data() + name.size(), client);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return client;
}

}  // namespace anybit
