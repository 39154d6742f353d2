#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "wire/tls.h"

struct evp_pkey_st;
struct x509_st;

namespace anybit {

/// A folder of the test's own that is gone with it.
class TestFolder {
 public:
  TestFolder();
  ~TestFolder();
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::string path(const std::string& name) const { return (path_ / name).string(); }
  void write(const std::string& name, const std::string& text) const;

 private:
  std::filesystem::path path_;
};

/// What a certificate says.
struct CertificateWish {
  std::string name = "client-3";
  bool server = false;
  std::vector<std::string> hosts = {};  // of a server: "IP:127.0.0.1", "DNS:localhost"
  int from_days = -1;                   // from now
  int to_days = 1;
};
inline CertificateWish server_wish() {
  return {.name = "server", .server = true, .hosts = {"IP:127.0.0.1", "DNS:localhost"}};
}

/// A certificate authority of the test's own. Its files go into a folder that it shares with others.
class TestAuthority {
 public:
  TestAuthority(const TestFolder& folder, const std::string& file, const std::string& name = "test CA");
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  /// Writes FILE.crt and FILE.key.
  TlsSettings issue(const std::string& file, const CertificateWish& wish = {}) const;
  std::string ca() const { return folder_.path(file_ + ".crt"); }

 private:
  const TestFolder& folder_;
  std::string file_;
  std::unique_ptr<evp_pkey_st, void (*)(evp_pkey_st*)> key_;
  std::unique_ptr<x509_st, void (*)(x509_st*)> certificate_;
};

/// Of a certificate's file, as an allow-list has it.
std::string fingerprint_of(const std::string& certificate);

}  // namespace anybit
