#include "wire/tls_socket.h"

#include <openssl/bio.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace anybit {
namespace {

constexpr std::uint8_t kFirstRecord = 20;  // the kinds of record of TLS 1.3
constexpr std::uint8_t kLastRecord = 23;
constexpr std::size_t kLargestHello = std::size_t{16} << 10;

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK || error == EINTR; }

TlsSocket& socket_of(BIO* bio) { return *static_cast<TlsSocket*>(BIO_get_data(bio)); }

int bio_read(BIO* bio, char* into, int bytes) {
  BIO_clear_retry_flags(bio);
  TlsSocket& socket = socket_of(bio);
  const long got = socket.read({reinterpret_cast<std::uint8_t*>(into), static_cast<std::size_t>(bytes)});
  if (got < 0 && would_block(socket.last_error())) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

int bio_write(BIO* bio, const char* from, int bytes) {
  BIO_clear_retry_flags(bio);
  TlsSocket& socket = socket_of(bio);
  const long sent = socket.write({reinterpret_cast<const std::uint8_t*>(from), static_cast<std::size_t>(bytes)});
  if (sent < 0 && would_block(socket.last_error())) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

using SocketMethod = std::unique_ptr<BIO_METHOD, decltype(&BIO_meth_free)>;

SocketMethod make_method() {
  SocketMethod method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket"), &BIO_meth_free);
  if (!method) throw std::bad_alloc();
  BIO_meth_set_read(method.get(), bio_read);
  BIO_meth_set_write(method.get(), bio_write);
  BIO_meth_set_ctrl(method.get(), bio_control);
  return method;
}

}  // namespace

BIO* TlsSocket::make_bio() {
  static const SocketMethod method = make_method();
  BIO* bio = BIO_new(method.get());
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  return bio;
}

long TlsSocket::read(std::span<std::uint8_t> into) {
  const ssize_t got = ::recv(descriptor_, into.data(), into.size(), 0);
  last_error_ = got < 0 ? errno : 0;
  if (got == 0) ended_ = true;
  if (got > 0) look_at_start(into.first(static_cast<std::size_t>(got)));
  if (is_sane_) return got;
  last_error_ = EPROTO;
  return -1;
}

long TlsSocket::write(std::span<const std::uint8_t> bytes) {
  const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  last_error_ = sent < 0 ? errno : 0;
  return sent;
}

/// OpenSSL makes room for as much as the first message declares, up to 128 KiB, for a peer that nobody knows yet.
void TlsSocket::look_at_start(std::span<const std::uint8_t> bytes) {
  if (heard_ == kStart) return;
  const std::size_t more = std::min(bytes.size(), kStart - heard_);
  std::copy_n(bytes.begin(), more, start_.begin() + static_cast<std::ptrdiff_t>(heard_));
  heard_ += more;
  is_tls_ = start_[0] >= kFirstRecord && start_[0] <= kLastRecord;
  constexpr std::uint8_t kHandshake = 22;
  if (heard_ < kStart || start_[0] != kHandshake) return;
  is_sane_ = (std::size_t{start_[6]} << 16 | std::size_t{start_[7]} << 8 | start_[8]) <= kLargestHello;
}

}  // namespace anybit
