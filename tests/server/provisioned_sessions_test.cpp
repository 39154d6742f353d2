// Certificates as scripts/provision makes them, in use: a running server lets clients in and puts them out.
#include <cstdlib>

#include "tests/server/tls_fixture.h"

namespace anybit {
namespace {

class ProvisionedSessions : public testing::Test {
 protected:
  void SetUp() override {
    if (std::system("command -v openssl >/dev/null") != 0) GTEST_SKIP() << "machine: no openssl program";
    provision("ca");
    provision("server 127.0.0.1");
    provision("client 0-1");
  }

  void provision(const std::string& arguments) const {
    const std::string command = std::string(ANYBIT_SOURCE_DIR) + "/scripts/provision " + folder_.path("made") + " ";
    ASSERT_EQ(std::system((command + arguments + " >/dev/null").c_str()), 0) << arguments;
  }

  TlsSettings files(const std::string& machine, const std::string& name) const {
    const std::string at = folder_.path("made/" + machine) + "/";
    return {.ca = at + "ca.crt", .certificate = at + name + ".crt", .key = at + name + ".key"};
  }
  Server::Change encrypted() const {
    TlsSettings server = files("server", "server");
    server.allowed = folder_.path("made/server/allowed");
    return [server](SessionSettings& settings) { settings.tls = server; };
  }
  std::string answer(Server& server, std::uint32_t client) const {
    return answer_to(server, files("client-" + std::to_string(client), "client"), {.client = client}).reason;
  }
  /// Until a change of the list is noticed.
  std::string answer_once_let_in(Server& server, std::uint32_t client) const {
    return answer_once("", server, files("client-" + std::to_string(client), "client"), {.client = client}).reason;
  }

  const std::string refusal_ =
      "the server refuses the certificate that it was shown: not on its allow-list, or revoked";

  const TestFolder folder_;
};

TEST_F(ProvisionedSessions, ClientsComeGoAndComeBack) {
  Server server(encrypted());
  EXPECT_EQ(answer(server, 0), "");
  EXPECT_EQ(answer(server, 1), "");
  const std::string kept = folder_.path("stolen");
  std::filesystem::copy(folder_.path("made/client-1"), kept);
  provision("revoke 1");
  const TlsSettings thief = {.ca = kept + "/ca.crt", .certificate = kept + "/client.crt", .key = kept + "/client.key"};
  EXPECT_EQ(answer_once(refusal_, server, thief, {.client = 1}).reason, refusal_);
  EXPECT_EQ(answer(server, 0), "");
  provision("client 1");
  EXPECT_EQ(answer_once_let_in(server, 1), "");
  EXPECT_EQ(answer_to(server, thief, {.client = 1}).reason, refusal_);
}

TEST_F(ProvisionedSessions, ARenewedClientMayUseBothCertificatesUntilTheOldIsTakenAway) {
  Server server(encrypted());
  std::filesystem::copy(folder_.path("made/client-0"), folder_.path("old"));
  TlsSettings old = files("client-0", "client");
  old.certificate = folder_.path("old/client.crt");
  provision("renew 0");
  EXPECT_EQ(answer_once_let_in(server, 0), "");
  EXPECT_EQ(answer_to(server, old, {.client = 0}).reason, "");
  provision("revoke 0 --old");
  EXPECT_TRUE(answer_once(refusal_, server, old, {.client = 0}).refused);
  EXPECT_EQ(answer(server, 0), "");
}

TEST_F(ProvisionedSessions, ARenewedCaAndItsFormerSelfGoTogether) {
  Server server(encrypted());
  provision("renew ca");
  EXPECT_EQ(answer(server, 0), "");  // has the new CA's certificate, the server the old
}

}  // namespace
}  // namespace anybit
