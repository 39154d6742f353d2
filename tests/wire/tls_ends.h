#pragma once

#include <gtest/gtest.h>

#include <asio.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <utility>

#include "tests/wire/certificates.h"
#include "wire/codec.h"
#include "wire/tls.h"

namespace anybit {

using asio::ip::tcp;
using Side = TlsContext::Side;
inline constexpr std::chrono::seconds kLong{5};

/// How an operation ended, once it has.
struct Result {
  bool done = false;
  std::error_code error = {};
  std::size_t bytes = 0;
  ByteStream::Done note() {
    return [this](const std::error_code& with, std::size_t many) { *this = {true, with, many}; };
  }
};

/// Both ends of a connection, driven by the test.
class Ends {
 public:
  Ends() {
    tcp::acceptor acceptor(io, {asio::ip::address_v4::loopback(), 0});
    client_socket.connect(acceptor.local_endpoint());
    server_socket = acceptor.accept();
  }

  void encrypt(const TlsContext& client_context, const TlsContext& server_context,
               const std::string& host = "127.0.0.1") {
    client = make_tls_stream(std::move(client_socket), client_context, host);
    server = make_tls_stream(std::move(server_socket), server_context);
  }

  bool run_until(const std::function<bool()>& holds) {
    const auto end = std::chrono::steady_clock::now() + kLong;
    io.restart();
    while (!holds() && std::chrono::steady_clock::now() < end) io.run_one_until(end);
    return holds();
  }

  /// Both handshakes; a client that is content reads then, as it hears only so that the server is not.
  std::pair<Result, Result> shake_hands() {
    Result of_client, of_server;
    client->handshake(of_client.note());
    server->handshake(of_server.note());
    EXPECT_TRUE(run_until([&] { return of_client.done && of_server.done; }));
    if (of_client.error || !of_server.error) return {of_client, of_server};
    Bytes room(1);
    of_client = {};
    client->read_some(room, of_client.note());
    EXPECT_TRUE(run_until([&] { return of_client.done; }));
    return {of_client, of_server};
  }

  asio::io_context io{1};
  tcp::socket client_socket{io};
  tcp::socket server_socket{io};
  std::unique_ptr<ByteStream> client;
  std::unique_ptr<ByteStream> server;
};

/// Files of both ends that fit each other.
class TlsStream : public testing::Test {
 protected:
  const TestFolder folder_;
  const TestAuthority authority_{folder_, "ca"};
  const TlsSettings client_files_ = authority_.issue("client");
  const TlsSettings server_files_ = authority_.issue("server", server_wish());
  const TlsContext client_{client_files_, Side::kClient};
  const TlsContext server_{server_files_, Side::kServer};
};

}  // namespace anybit
