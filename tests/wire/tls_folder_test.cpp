#include "wire/tls_folder.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

TEST(TlsFolder, NamesTheFilesOfEachSide) {
  const TlsSettings server = tls_folder("keys/server", TlsContext::Side::kServer);
  EXPECT_EQ(server.ca, "keys/server/ca.crt");
  EXPECT_EQ(server.certificate, "keys/server/server.crt");
  EXPECT_EQ(server.key, "keys/server/server.key");
  EXPECT_EQ(server.allowed, "keys/server/allowed");
  const TlsSettings client = tls_folder("client-3", TlsContext::Side::kClient);
  EXPECT_EQ(client.certificate, "client-3/client.crt");
  EXPECT_EQ(client.key, "client-3/client.key");
  EXPECT_EQ(client.allowed, "");
}

TEST(TlsFolder, OnlyWholeNamesAreClients) {
  EXPECT_EQ(client_of_name("client-3"), 3U);
  EXPECT_EQ(client_of_name("client-0"), 0U);
  for (const char* other : {"client-", "client-3x", "client--3", "Client-3", "server", "", "client-99999999999"})
    EXPECT_FALSE(client_of_name(other).has_value()) << other;
}

TEST(TlsFolder, AFileThatIsNoCertificateIsNamed) {
  try {
    (void)client_of_certificate("/nowhere/client.crt");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("/nowhere/client.crt"), std::string::npos);
  }
}

}  // namespace
}  // namespace anybit
