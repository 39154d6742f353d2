// Processes in TLS: the same bits, and what each side says when the other is not who it should be.
#include <gtest/gtest.h>

#include "tests/system/lan.h"

namespace anybit {
namespace {

TEST(TlsLan, EndsInTheBitsOfTheSimulator) {
  Lan lan({"federation.cohort=20", "federation.rounds=3"});
  lan.encrypt();
  lan.start_server();
  lan.start_clients(0, 20);
  const Outcome server = lan.end_of_server();
  EXPECT_EQ(server.code, 0) << server.error;
  for (std::uint32_t client = 0; client < 20; ++client) EXPECT_EQ(lan.end_of_client(client).code, 0);
  EXPECT_EQ(lan.simulated_model(), lan.model());
  EXPECT_EQ(lan.folder().run({"replay", "server/run"}).code, 0);
}

TEST(TlsLan, ARefusalIsOnePlainSentenceAndNoRetry) {
  Lan lan;
  lan.encrypt("3-4");
  lan.start_server();
  lan.wait_for_word("of 4 rounds are done");
  const auto client = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"--connect", "127.0.0.1:" + std::to_string(lan.port())});
    return Program(lan.folder().path(), words, 0, "stdout.txt", ANYBIT_CLIENT).wait();
  };
  expect_one_complaint(client({"--shard", "3/20"}), {"TLS is required"});
  expect_one_complaint(client({"--shard", "3/20", "--tls", "keys/client-4"}),
                       {"--shard says client 3", "keys/client-4 is of client 4"});
  expect_one_complaint(client({"--shard", "3/20", "--tls", "keys/server"}), {"client.crt", "scripts/provision"});
  // The device has its copy, and is here when it is revoked.
  const std::filesystem::path keys = lan.folder().path() / "keys";
  std::filesystem::copy(keys / "client-3", lan.folder().path() / "copy", std::filesystem::copy_options::recursive);
  lan.start_client(3, {"--tls", "../copy"});
  lan.wait_for_word("client 3 joined");
  EXPECT_EQ(lan.provision({"revoke", "3"}).code, 0);
  const Outcome revoked = lan.end_of_client(3);
  EXPECT_EQ(revoked.code, 1);
  EXPECT_NE(revoked.error.find("anybit-client: "), std::string::npos) << revoked.error;
  EXPECT_NE(revoked.error.find("allow"), std::string::npos) << revoked.error;
}

TEST(TlsLan, PlainAndEncryptedDoNotGoTogether) {
  Lan lan;
  lan.encrypt("3");
  const Outcome both =
      Program(lan.folder().path(), {"tiny.toml", "--tls", "keys/server", "--insecure"}, 0, "stdout.txt", ANYBIT_SERVER)
          .wait();
  EXPECT_EQ(both.code, 1);
  EXPECT_NE(both.error.find("--tls excludes --insecure"), std::string::npos) << both.error;
  expect_one_complaint(
      Program(lan.folder().path(), {"tiny.toml", "--tls", "keys/client-3"}, 0, "stdout.txt", ANYBIT_SERVER).wait(),
      {"server.crt", "scripts/provision"});
}

}  // namespace
}  // namespace anybit
