#include "wire/byte_stream.h"

#include <asio.hpp>
#include <utility>

namespace anybit {
namespace {

/// Asio by itself sends no more than 64 KiB at once: a hundred calls for a large model.
std::size_t as_much_as_it_takes(const std::error_code& error, std::size_t) { return error ? 0 : std::size_t{4} << 20; }

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(TcpSocket&& socket) : socket_(std::move(socket)) {}

  void handshake(Done done) override {
    asio::post(socket_.get_executor(), [done = std::move(done)] { done({}, 0); });
  }

  void read_some(std::span<std::uint8_t> into, Done done) override {
    socket_.async_read_some(asio::buffer(into.data(), into.size()), std::move(done));
  }

  void write(const Pieces& pieces, Done done) override {
    const std::array<asio::const_buffer, 2> buffers = {asio::buffer(pieces[0].data(), pieces[0].size()),
                                                       asio::buffer(pieces[1].data(), pieces[1].size())};
    asio::async_write(socket_, buffers, as_much_as_it_takes, std::move(done));
  }

  void shutdown() override {
    std::error_code ignored;
    socket_.shutdown(TcpSocket::shutdown_send, ignored);
  }

  void cancel() override {
    std::error_code ignored;
    socket_.cancel(ignored);
  }

  void close() override {
    std::error_code ignored;
    socket_.close(ignored);
  }

  const PeerIdentity* peer() const override { return nullptr; }

 private:
  TcpSocket socket_;
};

}  // namespace

std::unique_ptr<ByteStream> make_plain_stream(TcpSocket&& socket) {
  return std::make_unique<PlainStream>(std::move(socket));
}

}  // namespace anybit
