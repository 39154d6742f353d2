// The server's end in TLS against the client's: who joins, who is refused with which words, and who is put out later.
#include <openssl/ssl.h>

#include "tests/server/tls_fixture.h"

namespace anybit {
namespace {

using Refused = std::vector<std::string>;

TEST_F(TlsSessions, WhoIsOnTheListJoins) {
  Server server(encrypted());
  const Answer answer = answer_to(server, client_3, {.client = 3});
  EXPECT_EQ(answer.reason, "");
  EXPECT_FALSE(answer.refused);
  EXPECT_EQ(server.heard.front(), "joined 3+1");
  EXPECT_TRUE(server.sessions.refusals().empty());
}

TEST_F(TlsSessions, FiveMegabytesGoOutAndComeBackToSeveral) {
  Server server(encrypted());
  const CohortTask task({{99, 0, 0}, 1, 0, 1, 0}, std::make_shared<const Bytes>(5 << 20, std::uint8_t{0xa5}));
  std::vector<std::thread> clients;
  for (const TlsSettings& files : {client_3, client_4}) {
    const std::uint32_t client = files.key == client_3.key ? 3 : 4;
    clients.emplace_back([&task, files, client, port = server.sessions.port()] {
      Connection connection({}, files);
      Welcome welcome;
      Message message;
      ASSERT_EQ(connection.connect("localhost", port, kLong), "");
      ASSERT_EQ(connection.greet({.client = client}, welcome, kLong), "");
      EXPECT_EQ(welcome.run, 99U);
      ASSERT_EQ(connection.receive(message, kLong), "");
      UpdateMessage update = update_of(client);
      update.delta = std::get<TaskMessage>(message).parameters;
      EXPECT_TRUE(std::ranges::equal(update.delta, *task.parameters));
      ASSERT_EQ(connection.send(encode_frame(update), kLong), "");
      ASSERT_EQ(connection.receive(message, kLong), "");
      EXPECT_TRUE(std::holds_alternative<Acknowledge>(message));
    });
  }
  std::size_t whole = 0;
  server.on_update = [&](ConnectionId connection, const UpdateMessage& update) {
    if (std::ranges::equal(update.delta, *task.parameters)) ++whole;
    server.sessions.send(connection, Acknowledge{update.id});
  };
  EXPECT_TRUE(server.serve_until_heard(2));
  for (const std::uint32_t client : {3U, 4U}) {
    auto head = std::make_shared<Bytes>();
    append_frame_head(task, {client, 1}, *head);
    EXPECT_TRUE(server.sessions.send(server.roster.playing(client), std::move(head), task.parameters));
  }
  EXPECT_TRUE(server.serve_until_heard(6));
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(whole, 2U);
  EXPECT_TRUE(server.serve_until([&] { return server.sessions.open() == 0; }));
}

TEST_F(TlsSessions, AConnectionPlaysTheClientOfItsCertificateAlone) {
  Server server(encrypted());
  const Answer other = answer_to(server, client_3, {.client = 4});
  EXPECT_EQ(other.reason, "the server refuses: plays 1 clients from 4 on, its certificate is that of client-3");
  const Answer both = answer_to(server, client_3, {.client = 3, .clients = 2});
  EXPECT_EQ(both.reason, "the server refuses: plays 2 clients from 3 on, its certificate is that of client-3");
  EXPECT_TRUE(server.heard.empty());
  EXPECT_EQ(server.sessions.refusals().at(TlsFailure::kOtherClient), 2U);
  EXPECT_EQ(server.sessions.turned_away(), 2U);
}

TEST_F(TlsSessions, NoOtherNameIsAClients) {
  for (const char* name :
       {"client-03", "client-", "client", "3", "client-3x", "client-4294967299", "CLIENT-3", "server"}) {
    const TlsSettings files = authority.issue("odd", {.name = name});
    folder.write("allowed", std::string(name) + " " + fingerprint_of(files.certificate) + "\n");
    Server server(encrypted());
    EXPECT_TRUE(
        answer_to(server, files, {.client = 3}).reason.starts_with("the server refuses: plays 1 clients from 3"))
        << name;
  }
}

TEST_F(TlsSessions, WhoIsNotOnTheListHearsSoAndNeedNotTryAgain) {
  allow({"client-4"});
  Server server(encrypted());
  const Answer answer = answer_to(server, client_3, {.client = 3});
  EXPECT_EQ(answer.reason, "the server refuses the certificate that it was shown: not on its allow-list, or revoked");
  EXPECT_TRUE(answer.refused);
  ASSERT_TRUE(server.serve_until([&] { return server.refused.size() == 1; }));
  EXPECT_EQ(server.refused, Refused{"the peer's certificate is not on the allow-list, or was revoked"});
  EXPECT_EQ(server.sessions.refusals().at(TlsFailure::kNotAllowed), 1U);
  EXPECT_EQ(server.sessions.turned_away(), 1U);
}

TEST_F(TlsSessions, TheOtherEndsCaAndNameAreChecked) {
  const TestAuthority other(folder, "other", "another CA");
  Server server(encrypted());
  const Answer stranger = answer_to(server, other.issue("stranger"), {.client = 3});
  EXPECT_EQ(stranger.reason, "the server's certificate was issued by another CA");
  EXPECT_TRUE(stranger.refused);
  EXPECT_TRUE(server.serve_until([&] { return server.refused.size() == 1; }));
  EXPECT_EQ(server.refused, Refused{"the peer refuses the certificate that it was shown: issued by another CA"});

  CertificateWish wish = server_wish();
  wish.hosts = {"DNS:localhost"};
  server_files = authority.issue("elsewhere", wish);
  Server named(encrypted());
  const Answer elsewhere = answer_to(named, client_3, {.client = 3});
  EXPECT_EQ(elsewhere.reason, "the server's certificate is not for the name or address that it was reached by");
  EXPECT_TRUE(elsewhere.refused);
  EXPECT_TRUE(named.serve_until([&] { return named.refused.size() == 1; }));
  EXPECT_EQ(
      named.refused,
      Refused{"the peer refuses the certificate that it was shown: not for the name or address that it asked for"});
  EXPECT_EQ(answer_to(named, client_3, {.client = 3}, "localhost").reason, "");
}

TEST_F(TlsSessions, PlainAndTlsDoNotMixAndBothEndsSaySo) {
  Server encrypting(encrypted());
  EXPECT_EQ(answer_to(encrypting, std::nullopt, {.client = 3}).reason,
            "the server refuses: the peer speaks plain, and TLS is required");
  EXPECT_EQ(encrypting.refused, Refused{"the peer speaks plain, and TLS is required"});
  EXPECT_EQ(encrypting.sessions.refusals().at(TlsFailure::kPlainPeer), 1U);
  Server plain;
  const Answer answer = answer_to(plain, client_3, {.client = 3});
  EXPECT_EQ(answer.reason, "the server speaks plain, and TLS is required");
  EXPECT_TRUE(answer.refused);
  EXPECT_EQ(plain.refused, Refused{"the peer speaks TLS, and plain is expected"});
  EXPECT_EQ(plain.sessions.refusals().at(TlsFailure::kTlsPeer), 1U);
}

TEST_F(TlsSessions, ARevokedClientIsPutOut) {
  Server server(encrypted());
  Connection stays({}, client_4), goes({}, client_3);
  for (Connection* connection : {&stays, &goes}) {
    EXPECT_EQ(while_served(server,
                           [&, port = server.sessions.port()] {
                             Welcome welcome;
                             const std::string reason = connection->connect("127.0.0.1", port, kLong);
                             const std::uint32_t client = connection == &goes ? 3 : 4;
                             return reason.empty() ? connection->greet({.client = client}, welcome, kLong) : reason;
                           }),
              "");
  }
  server.serve_for(milliseconds{250});  // in which it looks at the list
  EXPECT_EQ(server.heard.size(), 2U);
  allow({"client-4"});
  ASSERT_TRUE(server.serve_until_heard(3));
  EXPECT_EQ(server.heard.back(), "lost 3+1: the peer's certificate is not on the allow-list, or was revoked");
  EXPECT_EQ(server.sessions.refusals().at(TlsFailure::kNotAllowed), 1U);
  Message message;
  EXPECT_EQ(while_served(server, [&] { return goes.receive(message, kLong); }), "");
  EXPECT_EQ(std::get<Goodbye>(message).reason, "the peer's certificate is not on the allow-list, or was revoked");
  EXPECT_NE(answer_to(server, client_3, {.client = 3}).reason, "");
  allow({"client-3", "client-4"});
  EXPECT_EQ(answer_once("", server, client_3, {.client = 3}).reason, "");
  EXPECT_NE(server.roster.playing(4), 0U);
}

TEST_F(TlsSessions, AStalledHandshakeHasAnEnd) {
  Server server(encrypted([](SessionSettings& settings) { settings.hello = milliseconds{150}; }));
  RawSocket silent(server.sessions.port());
  RawSocket slow(server.sessions.port());
  slow.send(Bytes{0x16, 0x03, 0x01, 0x02, 0x00});
  ASSERT_TRUE(server.serve_until([&] { return server.refused.size() == 2; }));
  EXPECT_EQ(server.refused, (Refused{"did not end the handshake in time", "did not end the handshake in time"}));
  EXPECT_EQ(server.sessions.open(), 0U);
  EXPECT_TRUE(silent.receive_all().empty());
}

TEST_F(TlsSessions, NoHelloInTimeAfterTheHandshake) {
  Server server(encrypted([](SessionSettings& settings) { settings.hello = milliseconds{150}; }));
  Connection connection({}, client_3);
  EXPECT_EQ(while_served(server, [&] { return connection.connect("127.0.0.1", server.sessions.port(), kLong); }), "");
  ASSERT_TRUE(server.serve_until([&] { return server.refused.size() == 1; }));
  EXPECT_EQ(server.refused, Refused{"said no Hello in time"});
  Message message;
  EXPECT_EQ(while_served(server, [&] { return connection.receive(message, kLong); }), "");
  EXPECT_EQ(std::get<Goodbye>(message).reason, "said no Hello in time");
}

TEST_F(TlsSessions, FourKilobytesUntilWelcomed) {
  Server server(encrypted());
  Connection connection({}, client_3);
  Message message;
  EXPECT_EQ(while_served(server,
                         [&] {
                           const std::string reason = connection.connect("127.0.0.1", server.sessions.port(), kLong);
                           if (!reason.empty()) return reason;
                           static_cast<void>(connection.send(encode_frame(update_of(3, 50000)), kLong));
                           return connection.receive(message, kLong);
                         }),
            "");
  EXPECT_EQ(std::get<Goodbye>(message).reason, "Update frame declares a body of 50085 bytes, allowed are 4096");
}

TEST_F(TlsSessions, ManyComeAndGo) {
  Server server(encrypted());
  EXPECT_EQ(while_served(server,
                         [&, port = server.sessions.port()] {
                           Connection connection({}, client_3);
                           Welcome welcome;
                           std::string reason;
                           for (int i = 0; i < 20 && reason.empty(); ++i) {
                             reason = connection.connect("127.0.0.1", port, kLong);
                             if (reason.empty()) reason = connection.greet({.client = 3}, welcome, kLong);
                           }
                           return reason;
                         }),
            "");
  EXPECT_TRUE(server.serve_until([&] { return server.sessions.open() == 0; }));
  EXPECT_EQ(server.heard.size(), 40U);
  EXPECT_EQ(server.heard.back(), "lost 3+1: the peer closed the connection");
}

TEST_F(TlsSessions, StopSaysGoodbyeToAllInBoundedTime) {
  Server server(encrypted([](SessionSettings& settings) { settings.farewell = milliseconds{200}; }));
  Connection joined({}, client_3);
  EXPECT_EQ(while_served(server,
                         [&] {
                           Welcome welcome;
                           const std::string reason = joined.connect("127.0.0.1", server.sessions.port(), kLong);
                           return reason.empty() ? joined.greet({.client = 3}, welcome, kLong) : reason;
                         }),
            "");
  const RawSocket in_the_handshake(server.sessions.port());
  server.serve_for(kTurn);
  std::thread client([&] {
    Message message;
    ASSERT_EQ(joined.receive(message, kLong), "");
    EXPECT_EQ(std::get<Goodbye>(message).reason, "all rounds are done");
    EXPECT_EQ(joined.receive(message, kLong), "the server closed the connection");
  });
  server.sessions.stop({"all rounds are done"}, kLong);
  client.join();
  EXPECT_EQ(server.sessions.open(), 0U);
}

TEST_F(TlsSessions, DestructionInTheMiddleIsSilent) {
  std::vector<std::string> heard;
  Connection joined({}, client_3);
  {
    Server server(encrypted());
    EXPECT_EQ(while_served(server,
                           [&] {
                             Welcome welcome;
                             const std::string reason = joined.connect("127.0.0.1", server.sessions.port(), kLong);
                             return reason.empty() ? joined.greet({.client = 3}, welcome, kLong) : reason;
                           }),
              "");
    const RawSocket in_the_handshake(server.sessions.port());
    server.sessions.send(server.newest, TaskMessage{{}, 1, 0, 1, 0, 0, Bytes(64 << 20, 1)});
    server.serve_for(kTurn);
    heard = server.heard;
  }
  EXPECT_EQ(heard, Heard{"joined 3+1"});
}

TEST_F(TlsSessions, MistakesInFilesAreSaidBeforeAnythingListens) {
  server_files.key = folder.path("none");
  EXPECT_THROW(Server{encrypted()}, std::runtime_error);
  TlsSettings wrong = client_3;
  wrong.certificate = server_files.certificate;
  EXPECT_THROW(Connection({}, wrong), std::runtime_error);
}

}  // namespace
}  // namespace anybit
