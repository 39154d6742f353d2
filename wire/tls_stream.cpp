// OpenSSL on a socket that does not block: each operation is tried, and where it cannot go on it is tried again when
// the socket is ready. Start at TlsStream::drive(). Reading and writing may be under way at the same time, and either
// may have to wait for the other direction.
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <asio.hpp>
#include <cerrno>
#include <new>
#include <utility>

#include "wire/tls_socket.h"
#include "wire/tls_verdict.h"

namespace anybit {
namespace {

constexpr std::size_t kTurn = std::size_t{1} << 20;        // bytes until others have their turn
constexpr std::size_t kLastWords = std::size_t{64} << 10;  // that are read before closing

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsStream final : public ByteStream {
 public:
  TlsStream(TcpSocket&& socket, const TlsContext& context, const std::string& host);

  void handshake(Done done) override;
  void read_some(std::span<std::uint8_t> into, Done done) override {
    drive([this, into] { return phase_ == Phase::kFailed ? read_raw(into) : try_read(into); }, std::move(done), false);
  }
  void write(const Pieces& pieces, Done done) override {
    drive([this, pieces, sent = std::size_t{0}]() mutable { return try_write(pieces, sent); }, std::move(done), false);
  }
  void shutdown() override;
  void cancel() override {
    std::error_code ignored;
    socket_.cancel(ignored);
  }
  void close() override;
  const PeerIdentity* peer() const override { return phase_ == Phase::kOpen ? &peer_ : nullptr; }

  /// OpenSSL's question about each certificate of the peer's, the CA's first: 1 goes on, 0 ends the handshake.
  static int judge(int holds, X509_STORE_CTX* chain);

 private:
  enum class Phase { kHandshake, kOpen, kFailed };
  enum class Next { kDone, kReadable, kWritable, kAgain };

  /// How a try ended: what to wait for, or the operation's result.
  struct Outcome {
    Next next = Next::kDone;
    std::error_code error = {};
    std::size_t bytes = 0;
  };

  template <class Try>
  void drive(Try attempt, Done done, bool waited);

  Outcome try_handshake();
  Outcome try_read(std::span<std::uint8_t> into);
  Outcome try_write(const Pieces& pieces, std::size_t& sent);
  Outcome read_raw(std::span<std::uint8_t> into);
  Outcome after(int result);
  void start();
  std::error_code failure_of_handshake(const std::error_code& error) const;
  void expect(const std::string& host);

  TcpSocket socket_;
  const TlsContext& context_;
  TlsSocket bytes_;
  std::unique_ptr<SSL, FreeSsl> ssl_;  // a server's: none until the peer has said something
  Phase phase_ = Phase::kHandshake;
  bool broken_ = false;  // OpenSSL wants to be asked nothing more
  PeerIdentity peer_;
  std::optional<TlsFailure> verdict_;  // on the peer's certificate
  std::error_code read_error_;         // came when bytes had been read that were delivered first
};

TlsStream::TlsStream(TcpSocket&& socket, const TlsContext& context, const std::string& host)
    : socket_(std::move(socket)), context_(context), bytes_(socket_.native_handle()) {
  std::error_code ignored;
  socket_.native_non_blocking(true, ignored);
  if (context.side() == TlsContext::Side::kServer) return;
  start();
  SSL_set_connect_state(ssl_.get());
  expect(host);
}

void TlsStream::start() {
  ssl_.reset(SSL_new(context_.handle()));
  if (!ssl_) throw std::bad_alloc();
  BIO* bio = bytes_.make_bio();
  SSL_set_bio(ssl_.get(), bio, bio);
  SSL_set_app_data(ssl_.get(), this);
  SSL_set_verify(ssl_.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, &TlsStream::judge);
}

void TlsStream::handshake(Done done) {
  const auto attempt = [this] { return try_handshake(); };
  if (ssl_) return drive(attempt, std::move(done), false);
  // A peer that says nothing gets nothing: OpenSSL takes 56 KB for a handshake that has not begun.
  socket_.async_wait(TcpSocket::wait_read, [this, attempt, done = std::move(done)](const std::error_code& error) {
    if (error) return done(error, 0);
    start();
    SSL_set_accept_state(ssl_.get());
    drive(attempt, done, true);
  });
}

/// The server's certificate must be for this host.
void TlsStream::expect(const std::string& host) {
  if (host.empty()) {  // OpenSSL would take it for any
    verdict_ = TlsFailure::kWrongHost;
    return;
  }
  X509_VERIFY_PARAM* wanted = SSL_get0_param(ssl_.get());
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) == 1) return;
  if (X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) != 1 ||
      SSL_set_tlsext_host_name(ssl_.get(), host.c_str()) != 1)
    throw std::bad_alloc();
}

int TlsStream::judge(int holds, X509_STORE_CTX* chain) {
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  TlsStream& stream = *static_cast<TlsStream*>(SSL_get_app_data(ssl));
  if (holds == 0) {
    stream.verdict_ = failure_of_verification(X509_STORE_CTX_get_error(chain));
  } else if (X509_STORE_CTX_get_error_depth(chain) == 0) {
    stream.peer_ = identity_of(X509_STORE_CTX_get_current_cert(chain));
    if (!stream.context_.allows(stream.peer_)) stream.verdict_ = TlsFailure::kNotAllowed;
  }
  if (!stream.verdict_) return 1;
  X509_STORE_CTX_set_error(chain, verification_error_of(*stream.verdict_));
  return 0;
}

/// Tries until it is done. What is done at once is told later all the same, as ByteStream promises.
template <class Try>
void TlsStream::drive(Try attempt, Done done, bool waited) {
  const Outcome outcome = socket_.is_open() ? attempt() : Outcome{.error = asio::error::operation_aborted};
  if (outcome.next == Next::kDone) {
    if (waited) return done(outcome.error, outcome.bytes);
    return asio::post(socket_.get_executor(),
                      [done = std::move(done), outcome] { done(outcome.error, outcome.bytes); });
  }
  auto again = [this, attempt = std::move(attempt), done = std::move(done)](const std::error_code& error = {}) mutable {
    if (error) return done(error, 0);
    drive(std::move(attempt), std::move(done), true);
  };
  if (outcome.next == Next::kAgain) return asio::post(socket_.get_executor(), std::move(again));
  socket_.async_wait(outcome.next == Next::kReadable ? TcpSocket::wait_read : TcpSocket::wait_write, std::move(again));
}

/// What OpenSSL's last call asks for, which was not done.
TlsStream::Outcome TlsStream::after(int result) {
  switch (SSL_get_error(ssl_.get(), result)) {
    case SSL_ERROR_WANT_READ: return {.next = Next::kReadable};
    case SSL_ERROR_WANT_WRITE: return {.next = Next::kWritable};
    case SSL_ERROR_ZERO_RETURN: return {.error = asio::error::eof};
    case SSL_ERROR_SYSCALL:
      if (bytes_.last_error() == 0) return {.error = asio::error::eof};
      return {.error = std::error_code(bytes_.last_error(), asio::error::get_system_category())};
    default: broken_ = true; return {.error = failure_of_errors()};
  }
}

TlsStream::Outcome TlsStream::try_handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    phase_ = Phase::kOpen;
    return {};
  }
  Outcome outcome = after(result);
  if (outcome.next != Next::kDone) return outcome;
  phase_ = Phase::kFailed;
  outcome.error = failure_of_handshake(outcome.error);
  return outcome;
}

std::error_code TlsStream::failure_of_handshake(const std::error_code& error) const {
  if (bytes_.peer_is_plain()) return TlsFailure::kPlainPeer;
  if (verdict_) return *verdict_;
  if (error == std::error_code(EPROTO, asio::error::get_system_category())) return TlsFailure::kBroken;
  return error;
}

TlsStream::Outcome TlsStream::try_read(std::span<std::uint8_t> into) {
  if (read_error_) return {.error = std::exchange(read_error_, {})};
  into = into.first(std::min(into.size(), kTurn));
  Outcome outcome;
  while (outcome.bytes < into.size()) {
    const std::span<std::uint8_t> rest = into.subspan(outcome.bytes);
    std::size_t got = 0;
    ERR_clear_error();
    const int result = SSL_read_ex(ssl_.get(), rest.data(), rest.size(), &got);
    outcome.bytes += got;
    if (result == 1) continue;
    const Outcome end = after(result);
    if (outcome.bytes == 0) return end;
    if (end.next == Next::kDone) read_error_ = end.error;
    break;
  }
  return outcome;
}

/// `sent`: what earlier tries have sent.
TlsStream::Outcome TlsStream::try_write(const Pieces& pieces, std::size_t& sent) {
  const std::size_t all = pieces[0].size() + pieces[1].size();
  if (phase_ == Phase::kFailed) {
    if (bytes_.peer_is_plain()) static_cast<void>(bytes_.write(pieces[0]));
    return {.bytes = all};
  }
  for (const std::size_t end = sent + kTurn; sent < all;) {
    if (sent >= end) return {.next = Next::kAgain};
    const std::span<const std::uint8_t> rest =
        sent < pieces[0].size() ? pieces[0].subspan(sent) : pieces[1].subspan(sent - pieces[0].size());
    std::size_t written = 0;
    ERR_clear_error();
    const int result = SSL_write_ex(ssl_.get(), rest.data(), rest.size(), &written);
    if (result != 1) return after(result);
    sent += written;
  }
  return {.bytes = all};
}

TlsStream::Outcome TlsStream::read_raw(std::span<std::uint8_t> into) {
  const long got = bytes_.read(into);
  if (got > 0) return {.bytes = static_cast<std::size_t>(got)};
  if (got == 0) return {.error = asio::error::eof};
  if (bytes_.last_error() == EAGAIN || bytes_.last_error() == EINTR) return {.next = Next::kReadable};
  return {.error = std::error_code(bytes_.last_error(), asio::error::get_system_category())};
}

void TlsStream::shutdown() {
  if (!socket_.is_open()) return;
  ERR_clear_error();
  if (phase_ == Phase::kOpen && !broken_) SSL_shutdown(ssl_.get());
  std::error_code ignored;
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

void TlsStream::close() {
  if (!socket_.is_open()) return;
  shutdown();
  // Closing with bytes unread would destroy the last ones on their way: an alert that says why.
  std::array<std::uint8_t, 4096> room;
  for (std::size_t read = 0; read < kLastWords && bytes_.read(room) > 0;) read += room.size();
  std::error_code ignored;
  socket_.close(ignored);
}

}  // namespace

std::unique_ptr<ByteStream> make_tls_stream(TcpSocket&& socket, const TlsContext& context, const std::string& host) {
  return std::make_unique<TlsStream>(std::move(socket), context, host);
}

}  // namespace anybit
