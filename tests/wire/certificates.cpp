#include "tests/wire/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "wire/tls_verdict.h"

namespace anybit {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

constexpr long kDay = 24L * 60 * 60;

void require(bool holds) {
  if (!holds) throw std::runtime_error("cannot make a certificate for the test");
}

Key make_key() {
  Key key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  require(key != nullptr);
  return key;
}

void add(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context = {};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

Certificate make_certificate(EVP_PKEY* key, const CertificateWish& wish, const X509_NAME* issuer) {
  static long serial = 0;
  Certificate certificate(X509_new(), &X509_free);
  require(certificate != nullptr && X509_set_version(certificate.get(), X509_VERSION_3) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), wish.from_days * kDay);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wish.to_days * kDay);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.name.c_str()), -1, -1, 0);
  const X509_NAME* by = issuer != nullptr ? issuer : X509_get_subject_name(certificate.get());
  require(X509_set_issuer_name(certificate.get(), by) == 1 && X509_set_pubkey(certificate.get(), key) == 1);
  return certificate;
}

void write_pem(const std::string& path, X509* certificate, EVP_PKEY* key) {
  const File file(std::fopen(path.c_str(), "w"), &std::fclose);
  require(file != nullptr);
  ::chmod(path.c_str(), key != nullptr ? S_IRUSR | S_IWUSR : S_IRUSR | S_IWUSR | S_IRGRP | S_IROTH);
  require(key != nullptr ? PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1
                         : PEM_write_X509(file.get(), certificate) == 1);
}

std::string joined(const std::vector<std::string>& hosts) {
  std::string text;
  for (const std::string& host : hosts) text += (text.empty() ? "" : ",") + host;
  return text;
}

}  // namespace

TestFolder::TestFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "anybit_tls_XXXXXX").string();
  require(::mkdtemp(name.data()) != nullptr);
  path_ = name;
}

TestFolder::~TestFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void TestFolder::write(const std::string& name, const std::string& text) const { std::ofstream(path(name)) << text; }

TestAuthority::TestAuthority(const TestFolder& folder, const std::string& file, const std::string& name)
    : folder_(folder), file_(file), key_(make_key()), certificate_(nullptr, &X509_free) {
  certificate_ = make_certificate(key_.get(), {.name = name}, nullptr);
  X509* certificate = certificate_.get();
  add(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add(certificate, certificate, NID_key_usage, "critical,keyCertSign");
  require(X509_sign(certificate, key_.get(), EVP_sha256()) > 0);
  write_pem(ca(), certificate, nullptr);
}

TestAuthority::~TestAuthority() = default;

TlsSettings TestAuthority::issue(const std::string& file, const CertificateWish& wish) const {
  const Key key = make_key();
  const Certificate certificate = make_certificate(key.get(), wish, X509_get_subject_name(certificate_.get()));
  add(certificate.get(), certificate_.get(), NID_ext_key_usage, wish.server ? "serverAuth" : "clientAuth");
  if (!wish.hosts.empty()) add(certificate.get(), certificate_.get(), NID_subject_alt_name, joined(wish.hosts));
  require(X509_sign(certificate.get(), key_.get(), EVP_sha256()) > 0);
  TlsSettings settings{.ca = ca(), .certificate = folder_.path(file + ".crt"), .key = folder_.path(file + ".key")};
  write_pem(settings.certificate, certificate.get(), nullptr);
  write_pem(settings.key, nullptr, key.get());
  return settings;
}

std::string fingerprint_of(const std::string& certificate) {
  const File file(std::fopen(certificate.c_str(), "r"), &std::fclose);
  require(file != nullptr);
  const Certificate read(PEM_read_X509(file.get(), nullptr, nullptr, nullptr), &X509_free);
  require(read != nullptr);
  return identity_of(read.get()).fingerprint;
}

}  // namespace anybit
