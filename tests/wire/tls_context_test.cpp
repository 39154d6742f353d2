// The files of TLS, and what is said of those that do not serve.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/wire/certificates.h"
#include "wire/tls.h"

namespace anybit {
namespace {

using Side = TlsContext::Side;

class TlsFiles : public testing::Test {
 protected:
  /// What is said of them, with the folder's path taken out.
  std::string mistake(const TlsSettings& settings, Side side = Side::kClient) const {
    try {
      const TlsContext context(settings, side);
      return "";
    } catch (const std::runtime_error& error) {
      std::string text = error.what();
      const std::string before = folder_.path("");
      for (std::size_t at = 0; (at = text.find(before)) != std::string::npos;) text.erase(at, before.size());
      return text;
    }
  }
  bool says(const std::string& text, const TlsSettings& settings, Side side = Side::kClient) const {
    const std::string said = mistake(settings, side);
    EXPECT_NE(said.find(text), std::string::npos) << said;
    return said.find(text) != std::string::npos;
  }

  const TestFolder folder_;
  const TestAuthority authority_{folder_, "ca"};
  const TlsSettings client_ = authority_.issue("client");
  const TlsSettings server_ = authority_.issue("server", server_wish());
};

TEST_F(TlsFiles, GoodOnesServe) {
  EXPECT_EQ(mistake(client_, Side::kClient), "");
  EXPECT_EQ(mistake(server_, Side::kServer), "");
}

TEST_F(TlsFiles, MissingOnesAreNamed) {
  TlsSettings settings = client_;
  settings.ca = folder_.path("none");
  says("none: the CA's certificate cannot be read: No such file or directory; scripts/provision", settings);
  settings = client_;
  settings.certificate = folder_.path("none");
  says("none: the certificate cannot be read: No such file", settings);
  settings = client_;
  settings.key = folder_.path("none");
  says("none: the key cannot be read: No such file", settings);
  settings.key = "";
  says("no file is given for the key", settings);
  settings = client_;
  settings.ca = folder_.path("");
  says(": holds no certificate in PEM", settings);
}

TEST_F(TlsFiles, OtherThingsThanPemAreRefused) {
  folder_.write("text", "hello\n");
  ::chmod(folder_.path("text").c_str(), S_IRUSR);
  TlsSettings settings = client_;
  settings.ca = folder_.path("text");
  says("text: holds no certificate in PEM", settings);
  settings = client_;
  settings.certificate = folder_.path("text");
  says("text: holds no certificate in PEM", settings);
  settings = client_;
  settings.key = folder_.path("text");
  says("text: holds no private key in PEM without a passphrase", settings);
}

TEST_F(TlsFiles, AKeyThatOthersMayReadIsRefused) {
  ::chmod(client_.key.c_str(), S_IRUSR | S_IROTH);
  says("client.key: others may use this key; type: chmod 600 client.key", client_);
  ::chmod(client_.key.c_str(), S_IRUSR | S_IRGRP);
  EXPECT_EQ(mistake(client_), "");  // a service's group, say
}

TEST_F(TlsFiles, KeyAndCertificateMustFit) {
  TlsSettings settings = client_;
  settings.key = server_.key;
  says("server.key: does not fit the certificate client.crt", settings);
}

TEST_F(TlsFiles, DaysOfValidityAreChecked) {
  says("old.crt: the certificate expired on 20", authority_.issue("old", {.from_days = -2, .to_days = -1}));
  says("young.crt: the certificate is valid from 20", authority_.issue("young", {.from_days = 1, .to_days = 2}));
}

TEST_F(TlsFiles, TheCaMustHaveIssuedTheCertificateForItsSide) {
  const TestAuthority other(folder_, "other");
  TlsSettings settings = client_;
  settings.ca = other.ca();
  says("client.crt: does not hold by the CA other.crt", settings);
  says("client.crt: is no server's certificate", client_, Side::kServer);
  says("server.crt: is no client's certificate", server_, Side::kClient);
}

TEST_F(TlsFiles, TheAllowListIsRead) {
  TlsSettings settings = server_;
  settings.allowed = folder_.path("allowed");
  says("allowed: the allow-list cannot be read; scripts/provision makes it", settings, Side::kServer);
  folder_.write("allowed", "# clients\nclient-3 " + fingerprint_of(client_.certificate) + "\n");
  const TlsContext context(settings, Side::kServer);
  EXPECT_TRUE(context.allows({"client-3", fingerprint_of(client_.certificate)}));
  EXPECT_FALSE(context.allows({"client-4", fingerprint_of(client_.certificate)}));
  EXPECT_FALSE(context.allows({"client-3", fingerprint_of(server_.certificate)}));
}

TEST_F(TlsFiles, WithoutAnAllowListTheCaDecides) {
  const TlsContext context(server_, Side::kServer);
  EXPECT_TRUE(context.allows({"client-3", "any"}));
}

}  // namespace
}  // namespace anybit
