// Two ends of TLS in one thread: how the bytes get through.
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>

#include "tests/wire/tls_ends.h"

namespace anybit {
namespace {

void read_all(ByteStream& stream, std::span<std::uint8_t> into, bool& whole) {
  stream.read_some(into, [&stream, into, &whole](const std::error_code& error, std::size_t bytes) {
    ASSERT_FALSE(error) << error.message();
    ASSERT_GT(bytes, 0U);
    whole = bytes == into.size();
    if (!whole) read_all(stream, into.subspan(bytes), whole);
  });
}

/// Between the two ends: passes on what the client says, and what the server says, up to a number of bytes each, then
/// cuts both lines.
class Cutter {
 public:
  Cutter(Ends& ends, std::size_t from_client, std::size_t from_server) : rest_{from_client, from_server} {
    tcp::acceptor acceptor(ends.io, {asio::ip::address_v4::loopback(), 0});
    lines_.emplace_back(std::move(ends.server_socket));  // the far end of ends.client_socket
    tcp::socket to_server(ends.io);
    to_server.connect(acceptor.local_endpoint());
    ends.server_socket = acceptor.accept();
    lines_.push_back(std::move(to_server));
    for (const std::size_t line : {std::size_t{0}, std::size_t{1}}) pass_on(line);
  }

  std::size_t left(std::size_t line) const { return rest_[line]; }

 private:
  void pass_on(std::size_t line) {
    lines_[line].async_read_some(asio::buffer(rooms_[line]),
                                 [this, line](const std::error_code& error, std::size_t got) {
                                   if (error) return cut();
                                   const std::size_t passed = std::min(got, rest_[line]);
                                   std::error_code ignored;
                                   asio::write(lines_[1 - line], asio::buffer(rooms_[line], passed), ignored);
                                   rest_[line] -= passed;
                                   if (rest_[line] == 0) return cut();
                                   pass_on(line);
                                 });
  }
  void cut() {
    std::error_code ignored;
    for (tcp::socket& line : lines_) line.close(ignored);
  }

  std::vector<tcp::socket> lines_;
  std::array<std::array<std::uint8_t, 4096>, 2> rooms_ = {};
  std::array<std::size_t, 2> rest_;
};

TEST_F(TlsStream, EachEndKnowsTheOther) {
  Ends ends;
  ends.encrypt(client_, server_);
  EXPECT_EQ(ends.server->peer(), nullptr);
  const auto [of_client, of_server] = ends.shake_hands();
  EXPECT_FALSE(of_client.error);
  EXPECT_FALSE(of_server.error);
  ASSERT_NE(ends.server->peer(), nullptr);
  EXPECT_EQ(ends.server->peer()->name, "client-3");
  EXPECT_EQ(ends.server->peer()->fingerprint, fingerprint_of(client_files_.certificate));
  EXPECT_EQ(ends.client->peer()->name, "server");
}

TEST_F(TlsStream, LargePiecesPassInBothDirectionsAtOnce) {
  Ends ends;
  ends.encrypt(client_, server_);
  ends.shake_hands();
  Bytes head(1000), bulk(5 << 20), back(3 << 20);
  std::ranges::generate(bulk,
                        [value = 0U]() mutable { return static_cast<std::uint8_t>((value += 2654435761U) >> 24); });
  std::ranges::generate(back,
                        [value = 7U]() mutable { return static_cast<std::uint8_t>((value += 2654435761U) >> 24); });
  Result down, up;
  ends.server->write({head, bulk}, down.note());
  ends.client->write({back, {}}, up.note());
  Bytes at_client(head.size() + bulk.size()), at_server(back.size());
  bool client_has_all = false, server_has_all = false;
  read_all(*ends.client, at_client, client_has_all);
  read_all(*ends.server, at_server, server_has_all);
  ASSERT_TRUE(ends.run_until([&] { return client_has_all && server_has_all && down.done && up.done; }));
  EXPECT_EQ(down.bytes, head.size() + bulk.size());
  EXPECT_EQ(up.bytes, back.size());
  EXPECT_TRUE(std::ranges::equal(std::span(at_client).first(head.size()), head));
  EXPECT_TRUE(std::ranges::equal(std::span(at_client).subspan(head.size()), bulk));
  EXPECT_EQ(at_server, back);
}

TEST_F(TlsStream, CancelEndsAReadAndLosesNothing) {
  Ends ends;
  ends.encrypt(client_, server_);
  ends.shake_hands();
  Bytes room(10);
  Result read, written;
  ends.client->read_some(room, read.note());
  ends.io.poll();
  EXPECT_FALSE(read.done);
  ends.client->cancel();
  ASSERT_TRUE(ends.run_until([&] { return read.done; }));
  EXPECT_EQ(read.error, asio::error::operation_aborted);
  const Bytes bytes = {1, 2, 3};
  ends.server->write({bytes, {}}, written.note());
  read = {};
  ends.client->read_some(room, read.note());
  ASSERT_TRUE(ends.run_until([&] { return read.done; }));
  EXPECT_EQ(read.bytes, 3U);
  EXPECT_EQ(room[2], 3);
}

TEST_F(TlsStream, TheEndOfAnEndIsHeard) {
  for (const bool politely : {true, false}) {
    Ends ends;
    ends.encrypt(client_, server_);
    ends.shake_hands();
    if (politely) ends.server->shutdown();
    ends.server->close();
    Bytes room(10);
    Result read;
    ends.client->read_some(room, read.note());
    ASSERT_TRUE(ends.run_until([&] { return read.done; }));
    EXPECT_EQ(describe(read.error, "the server"), "the server closed the connection");
    Result after;
    ends.server->read_some(room, after.note());
    ASSERT_TRUE(ends.run_until([&] { return after.done; }));
    EXPECT_EQ(after.error, asio::error::operation_aborted);
    ends.server->shutdown();
    ends.server->close();
  }
}

TEST_F(TlsStream, KeysMayChangeOnTheWay) {
  // Each end's SSL is its own business, so the peer here is OpenSSL alone, in the same thread.
  const TlsContext server(server_files_, Side::kServer);
  Ends ends;
  ends.server = make_tls_stream(std::move(ends.server_socket), server);
  const std::unique_ptr<SSL, void (*)(SSL*)> raw(SSL_new(client_.handle()), &SSL_free);
  SSL_set_verify(raw.get(), SSL_VERIFY_NONE, nullptr);
  SSL_set_app_data(raw.get(), nullptr);
  ends.client_socket.non_blocking(true);
  SSL_set_fd(raw.get(), ends.client_socket.native_handle());
  Result of_server;
  ends.server->handshake(of_server.note());
  ASSERT_TRUE(ends.run_until([&] {
    ends.io.poll();
    return SSL_connect(raw.get()) == 1 && of_server.done;
  }));
  Bytes room(10);
  Result read;
  ends.server->read_some(room, read.note());
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(SSL_key_update(raw.get(), SSL_KEY_UPDATE_REQUESTED), 1);
    ASSERT_EQ(SSL_do_handshake(raw.get()), 1);
    ends.io.poll();
  }
  EXPECT_FALSE(read.done);
  ASSERT_EQ(SSL_write(raw.get(), "hello", 5), 5);
  ASSERT_TRUE(ends.run_until([&] { return read.done; }));
  EXPECT_EQ(read.bytes, 5U);
  Result written;
  const Bytes answer = {1, 2, 3};
  ends.server->write({answer, {}}, written.note());
  ASSERT_TRUE(ends.run_until([&] { return written.done; }));
  int got = 0;
  ASSERT_TRUE(ends.run_until([&] {
    ends.io.poll();
    if (got <= 0) got = SSL_read(raw.get(), room.data(), 10);
    return got > 0;
  }));
  EXPECT_EQ(got, 3);
}

TEST_F(TlsStream, AHandshakeMayBeCutAnywhere) {
  constexpr std::size_t kAll = 100'000;
  Ends whole;
  Cutter nothing(whole, kAll, kAll);
  whole.encrypt(client_, server_);
  EXPECT_FALSE(whole.shake_hands().second.error);
  const std::size_t from_client = kAll - nothing.left(0);
  const std::size_t from_server = kAll - nothing.left(1);
  EXPECT_GT(from_client, 500U);
  EXPECT_GT(from_server, 500U);
  const auto cut_at = [&](std::size_t of_clients, std::size_t of_servers) {
    Ends ends;
    const Cutter cutter(ends, of_clients, of_servers);
    ends.encrypt(client_, server_);
    Result of_client, of_server;
    ends.client->handshake(of_client.note());
    ends.server->handshake(of_server.note());
    ASSERT_TRUE(ends.run_until([&] { return of_client.done && of_server.done; }));
    EXPECT_TRUE(of_server.error) << of_clients << " " << of_servers;
    EXPECT_FALSE(tls_failure(of_server.error)) << of_server.error.message();  // the network's, so worth another try
    EXPECT_FALSE(tls_failure(of_client.error)) << of_client.error.message();
  };
  // Sizes of signatures differ by a few bytes.
  for (std::size_t at = 1; at < from_client - 20; ++at) cut_at(at, kAll);
  for (std::size_t at = 1; at < from_server - 20; ++at) cut_at(kAll, at);
}

TEST_F(TlsStream, AHandshakeMayComeByteByByte) {
  Ends ends;
  ends.server = make_tls_stream(std::move(ends.server_socket), server_);
  tcp::acceptor acceptor(ends.io, {asio::ip::address_v4::loopback(), 0});
  tcp::socket near(ends.io);
  near.connect(acceptor.local_endpoint());
  tcp::socket far = acceptor.accept();
  ends.client = make_tls_stream(std::move(near), client_, "127.0.0.1");
  for (tcp::socket* line : {&far, &ends.client_socket}) {
    line->non_blocking(true);
    line->set_option(tcp::no_delay(true));
  }
  Result of_client, of_server;
  ends.client->handshake(of_client.note());
  ends.server->handshake(of_server.note());
  std::size_t passed = 0;
  const auto end = std::chrono::steady_clock::now() + kLong;
  while (!(of_client.done && of_server.done) && std::chrono::steady_clock::now() < end) {
    std::uint8_t byte = 0;
    std::error_code error;
    for (auto [from, to] : {std::pair(&far, &ends.client_socket), std::pair(&ends.client_socket, &far)})
      if (from->read_some(asio::buffer(&byte, 1), error) == 1) passed += asio::write(*to, asio::buffer(&byte, 1));
    ends.io.restart();
    ends.io.poll();
  }
  EXPECT_GT(passed, 1000U);
  EXPECT_TRUE(of_client.done && !of_client.error);
  EXPECT_TRUE(of_server.done && !of_server.error);
}

}  // namespace
}  // namespace anybit
