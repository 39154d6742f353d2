// Who is refused, and what each end says then.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include "tests/wire/tls_ends.h"

namespace anybit {
namespace {

class TlsRefusals : public TlsStream {
 protected:
  /// What each end says, the server's first.
  std::string said(const TlsContext& client, const TlsContext& server, const std::string& host = "127.0.0.1") {
    Ends ends;
    ends.encrypt(client, server, host);
    const auto [of_client, of_server] = ends.shake_hands();
    EXPECT_TRUE(tls_failure(of_client.error));
    EXPECT_TRUE(tls_failure(of_server.error));
    return describe(of_server.error, "the client") + " | " + describe(of_client.error, "the server");
  }

  /// A context that shows these files whatever a context would say of them.
  static void show(const TlsContext& context, const TlsSettings& files) {
    ASSERT_EQ(SSL_CTX_use_certificate_chain_file(context.handle(), files.certificate.c_str()), 1);
    ASSERT_EQ(SSL_CTX_use_PrivateKey_file(context.handle(), files.key.c_str(), SSL_FILETYPE_PEM), 1);
  }

  const TestAuthority other_{folder_, "other"};  // of the same name
};

TEST_F(TlsRefusals, TheHostMayBeANameOrAnAddress) {
  const TlsSettings files = authority_.issue(
      "many", {.name = "server", .server = true, .hosts = {"DNS:server.lan", "IP:10.1.2.3", "IP:fd00::1"}});
  const TlsContext server(files, Side::kServer);
  for (const char* host : {"server.lan", "SERVER.lan", "10.1.2.3", "fd00::1"}) {
    Ends ends;
    ends.encrypt(client_, server, host);
    EXPECT_FALSE(ends.shake_hands().first.error) << host;
  }
  for (const char* host : {"server", "lan", "other.lan", "10.1.2.4", "fd00::2", "127.0.0.1", ""}) {
    EXPECT_EQ(said(client_, server, host),
              "the client refuses the certificate that it was shown: not for the name or address that it asked for | "
              "the server's certificate is not for the name or address that it was reached by")
        << host;
  }
}

TEST_F(TlsRefusals, CertificatesOfAnotherCaAreRefused) {
  const TlsContext stranger(client_files_, Side::kClient);
  show(stranger, other_.issue("stranger"));
  EXPECT_EQ(said(stranger, server_),
            "the client's certificate was issued by another CA | "
            "the server refuses the certificate that it was shown: issued by another CA");
  const TlsContext impostor(server_files_, Side::kServer);
  show(impostor, other_.issue("impostor", server_wish()));
  EXPECT_EQ(said(client_, impostor),
            "the client refuses the certificate that it was shown: issued by another CA | "
            "the server's certificate was issued by another CA");
}

TEST_F(TlsRefusals, CertificatesOfAnotherDayAreRefused) {
  const TlsContext old(client_files_, Side::kClient);
  show(old, authority_.issue("old", {.from_days = -2, .to_days = -1}));
  EXPECT_EQ(said(old, server_),
            "the client's certificate has expired | "
            "the server refuses the certificate that it was shown: expired, or not valid yet");
  const TlsContext young(client_files_, Side::kClient);
  show(young, authority_.issue("young", {.from_days = 1, .to_days = 2}));
  EXPECT_EQ(said(young, server_),
            "the client's certificate is not valid yet: look at the clocks of both machines | "
            "the server refuses the certificate that it was shown: expired, or not valid yet");
  const TlsContext old_server(server_files_, Side::kServer);
  CertificateWish wish = server_wish();
  wish.from_days = -2;
  wish.to_days = -1;
  show(old_server, authority_.issue("old_server", wish));
  EXPECT_EQ(said(client_, old_server),
            "the client refuses the certificate that it was shown: expired, or not valid yet | "
            "the server's certificate has expired");
}

TEST_F(TlsRefusals, CertificatesOfTheOtherSideAreRefused) {
  const TlsContext posing(client_files_, Side::kClient);
  show(posing, authority_.issue("posing", server_wish()));
  EXPECT_EQ(said(posing, server_),
            "the client's certificate is not for its side: a client's of a server, or the reverse | "
            "the server refuses the certificate that it was shown: for the other side");
  const TlsContext greedy(server_files_, Side::kServer);
  CertificateWish wish = server_wish();
  wish.server = false;
  show(greedy, authority_.issue("greedy", wish));
  EXPECT_EQ(said(client_, greedy),
            "the client refuses the certificate that it was shown: for the other side | "
            "the server's certificate is not for its side: a client's of a server, or the reverse");
}

TEST_F(TlsRefusals, WhoShowsNoCertificateIsRefused) {
  const TlsContext bare(client_files_, Side::kClient);
  SSL_CTX_set_cert_cb(
      bare.handle(),
      [](SSL* ssl, void*) {
        SSL_certs_clear(ssl);
        return 1;
      },
      nullptr);
  EXPECT_EQ(said(bare, server_),
            "the client shows no certificate | the server asks for a certificate, and was shown none");
}

TEST_F(TlsRefusals, WhoIsNotOnTheListIsRefused) {
  folder_.write("allowed", "client-4 " + fingerprint_of(client_files_.certificate) + "\n");
  TlsSettings files = server_files_;
  files.allowed = folder_.path("allowed");
  const TlsContext strict(files, Side::kServer);
  EXPECT_EQ(said(client_, strict),
            "the client's certificate is not on the allow-list, or was revoked | "
            "the server refuses the certificate that it was shown: not on its allow-list, or revoked");
}

TEST_F(TlsRefusals, OlderVersionsAreRefused) {
  const auto make_old = [](const TlsContext& context) {
    SSL_CTX_set_min_proto_version(context.handle(), TLS1_2_VERSION);
    SSL_CTX_set_max_proto_version(context.handle(), TLS1_2_VERSION);
  };
  const TlsContext old_client(client_files_, Side::kClient);
  make_old(old_client);
  EXPECT_EQ(said(old_client, server_), "the client does not speak TLS 1.3 | the server does not speak TLS 1.3");
  const TlsContext old_server(server_files_, Side::kServer);
  make_old(old_server);
  EXPECT_EQ(said(client_, old_server), "the client does not speak TLS 1.3 | the server does not speak TLS 1.3");
}

TEST_F(TlsRefusals, APlainPeerIsToldInPlain) {
  Ends ends;
  ends.server = make_tls_stream(std::move(ends.server_socket), server_);
  Result of_server;
  ends.server->handshake(of_server.note());
  asio::write(ends.client_socket, asio::buffer("ANYB and more", 13));
  ASSERT_TRUE(ends.run_until([&] { return of_server.done; }));
  EXPECT_EQ(describe(of_server.error, "the client"), "the client speaks plain, and TLS is required");
  Result written;
  const Bytes words = {'n', 'o'};
  ends.server->write({words, {}}, written.note());
  ASSERT_TRUE(ends.run_until([&] { return written.done; }));
  ends.server->shutdown();
  std::string heard(2, ' ');
  asio::read(ends.client_socket, asio::buffer(heard));
  EXPECT_EQ(heard, "no");
  char more = 0;
  std::error_code error;
  ends.client_socket.read_some(asio::buffer(&more, 1), error);
  EXPECT_EQ(error, asio::error::eof);
}

TEST_F(TlsRefusals, RubbishIsRefused) {
  for (const std::string& rubbish :
       {std::string("\x16\x03\x01\x00\x05hello", 10), std::string("\x15\x03\x03\x00\x00", 5),
        std::string("\x16\x03\x01\x02\x00\x01\x01\xff\xff", 9)}) {
    Ends ends;
    ends.server = make_tls_stream(std::move(ends.server_socket), server_);
    Result of_server;
    ends.server->handshake(of_server.note());
    asio::write(ends.client_socket, asio::buffer(rubbish));
    ASSERT_TRUE(ends.run_until([&] { return of_server.done; }));
    EXPECT_EQ(describe(of_server.error, "the client"), "the client breaks the rules of TLS");
  }
}

}  // namespace
}  // namespace anybit
