#include "client/connection.h"

#include <algorithm>
#include <asio.hpp>
#include <deque>
#include <utility>

#include "wire/byte_stream.h"

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;
using asio::ip::tcp;

constexpr std::size_t kFirstRoom = std::size_t{1} << 20;

/// How a wait ended.
struct Outcome {
  asio::error_code error;
  bool timed_out = false;
};

/// A frame on its way, and what keeps it alive where that is not the caller.
struct Outgoing {
  std::span<const std::uint8_t> frame;
  std::shared_ptr<const Bytes> owner = nullptr;
};

constexpr const char* kPeer = "the server";
constexpr Connection::Timeout kFarewell{1000};

Connection::Timeout left_until(Clock::time_point end) {
  return std::max(Connection::Timeout{0}, std::chrono::ceil<Connection::Timeout>(end - Clock::now()));
}

std::string in_time(Connection::Timeout timeout) { return " within " + std::to_string(timeout.count()) + " ms"; }

}  // namespace

struct Connection::State {
  State(FrameLimits with, const std::optional<TlsSettings>& settings) : limits(with) {
    if (settings) tls.emplace(*settings, TlsContext::Side::kClient);
  }

  /// Lets the one operation that was started run to its end, or cancels it when the time is over. It wrote `outcome`
  /// before this returns, so no handler outlives the call that waits for it.
  void wait(Timeout timeout, Outcome& outcome) {
    io.restart();
    io.run_for(timeout);
    if (io.stopped()) return;
    // Again and again: a write that has just sent a piece when it is cancelled goes on to its next piece.
    while (!io.stopped()) {
      asio::error_code ignored;
      resolver.cancel();
      socket.cancel(ignored);
      if (stream) stream->cancel();
      io.run_one();
    }
    outcome.timed_out = outcome.error == asio::error::operation_aborted;
  }

  /// Runs what is under way until `done` says so or the time is over.
  template <class IsDone>
  void run_until(Clock::time_point end, const IsDone& done) {
    io.restart();
    while (!done() && io.run_one_until(end) > 0) {}
  }

  std::string connect_to(const tcp::endpoint& endpoint, const std::string& host, Timeout timeout) {
    const Clock::time_point end = Clock::now() + timeout;
    Outcome outcome;
    socket.async_connect(endpoint, [&outcome](const asio::error_code& error) { outcome = {error}; });
    wait(timeout, outcome);
    if (outcome.timed_out) return "no answer" + in_time(timeout);
    if (outcome.error) return describe(outcome.error, kPeer);
    asio::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    tcp::socket connected = std::exchange(socket, tcp::socket(io));
    stream = tls ? make_tls_stream(std::move(connected), *tls, host) : make_plain_stream(std::move(connected));
    return shake_hands(left_until(end));
  }

  std::string shake_hands(Timeout timeout) {
    Outcome outcome;
    stream->handshake([&outcome](const std::error_code& error, std::size_t) { outcome = {error}; });
    wait(timeout, outcome);
    if (outcome.timed_out) return "no TLS handshake" + in_time(timeout);
    if (!outcome.error) return "";
    refused = tls_failure(outcome.error).has_value();
    return describe(outcome.error, kPeer) + (refused ? "" : " in the TLS handshake");
  }

  std::string failure_of_read(const std::error_code& error, std::size_t bytes);

  void read();
  std::string read_frame(Timeout timeout, Timeout whole, bool& quiet);
  void forget_frame();
  void queue(Outgoing outgoing);
  void write();
  void say_goodbye(const std::string& reason);
  void close();

  FrameLimits limits;
  std::optional<TlsContext> tls;
  bool refused = false;
  bool against_rules = false;  // what was received last
  asio::io_context io{1};
  tcp::resolver resolver{io};
  tcp::socket socket{io};              // until it is connected
  std::unique_ptr<ByteStream> stream;  // from then on; none where the connection is closed
  Bytes frame;                         // used again for each frame
  std::size_t received = 0;            // of it, and
  std::size_t wanted = kFrameHeaderBytes;
  bool reading = false;  // more of it is awaited, from one call to the next
  std::error_code read_error;
  std::deque<Outgoing> outbox;  // the first is on its way
  bool writing = false;
  std::error_code write_error;  // nothing more can go out
  Clock::time_point frame_began;
  Clock::time_point heard;
};

/// Goes on reading the frame. Its room follows what has arrived, not what was declared.
void Connection::State::read() {
  if (std::exchange(reading, true)) return;
  frame.resize(std::max(frame.size(), std::min(wanted, std::max(kFirstRoom, 2 * received))));
  const std::size_t end = std::min(wanted, frame.size());
  stream->read_some(std::span(frame).subspan(received, end - received),
                    [this](const std::error_code& error, std::size_t bytes) {
                      reading = false;
                      read_error = error;
                      if (bytes > 0) heard = Clock::now();
                      if (received == 0) frame_began = heard;
                      received += bytes;
                    });
}

/// Reads header and body into `frame`, from where the last call left off. `quiet`: the time is over, and the frame may
/// still come.
std::string Connection::State::read_frame(Timeout timeout, Timeout whole, bool& quiet) {
  const Clock::time_point end = Clock::now() + timeout;
  while (received < wanted) {
    if (!read_error) read();
    run_until(end, [this] { return !reading; });
    if (reading) {
      quiet = received == 0 || Clock::now() - frame_began < whole;
      return received == 0 ? "no frame" + in_time(timeout) : "no whole frame" + in_time(std::max(timeout, whole));
    }
    if (read_error) return failure_of_read(read_error, received);
    if (received != kFrameHeaderBytes || wanted != kFrameHeaderBytes) continue;
    std::size_t body = 0;
    if (std::string reason = check_header(std::span(frame).first(received), limits.body, body); !reason.empty()) {
      against_rules = true;
      refused = is_other_protocol(std::span(frame).first(received));
      return reason;
    }
    wanted += body;
  }
  return "";
}

void Connection::State::forget_frame() {
  received = 0;
  wanted = kFrameHeaderBytes;
}

void Connection::State::queue(Outgoing outgoing) {
  outbox.push_back(std::move(outgoing));
  if (!writing) write();
}

void Connection::State::write() {
  writing = true;
  stream->write({outbox.front().frame, {}}, [this](const std::error_code& error, std::size_t) {
    writing = false;
    write_error = error;
    if (error) outbox.clear();
    if (!outbox.empty()) outbox.pop_front();
    if (!outbox.empty()) write();
  });
}

/// To who may not listen any more.
void Connection::State::say_goodbye(const std::string& reason) {
  const Bytes goodbye = encode_frame(Goodbye{reason});
  if (!write_error) queue({goodbye});
  run_until(Clock::now() + kFarewell, [this] { return outbox.empty(); });
  close();
}

/// Nothing that is under way outlives the stream.
void Connection::State::close() {
  asio::error_code ignored;
  socket.close(ignored);
  if (!stream) return;
  stream->close();
  run_until(Clock::time_point::max(), [this] { return !reading && !writing; });
  stream.reset();
  outbox.clear();
  forget_frame();
  read_error.clear();
  write_error.clear();
}

std::string Connection::State::failure_of_read(const std::error_code& error, std::size_t bytes) {
  const std::optional<TlsFailure> failure = tls_failure(error);
  refused = failure && *failure != TlsFailure::kBroken && *failure != TlsFailure::kToldBroken;
  if (!failure && !tls && looks_like_tls(std::span(frame).first(bytes))) {
    refused = true;
    return describe(TlsFailure::kTlsPeer, kPeer);
  }
  return describe(error, kPeer) + (bytes > 0 && !refused ? " in the middle of a frame" : "");
}

Connection::Connection(FrameLimits limits, const std::optional<TlsSettings>& tls)
    : state_(std::make_unique<State>(limits, tls)) {}

Connection::~Connection() { close(); }

std::string Connection::connect(const std::string& host, std::uint16_t port, Timeout timeout) {
  close();
  state_->refused = false;
  const std::string where = host + ":" + std::to_string(port) + ": ";
  const Clock::time_point end = Clock::now() + timeout;
  asio::error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  std::vector<tcp::endpoint> endpoints;
  if (!error) {
    endpoints.emplace_back(address, port);
  } else {
    Outcome outcome;
    state_->resolver.async_resolve(host, std::to_string(port),
                                   [&](const asio::error_code& failed, const tcp::resolver::results_type& found) {
                                     outcome = {failed};
                                     for (const auto& entry : found) endpoints.push_back(entry.endpoint());
                                   });
    state_->wait(timeout, outcome);
    if (outcome.error)
      return where + (outcome.timed_out ? "no address" + in_time(timeout) : describe(outcome.error, kPeer));
  }
  std::string reason = "no address";
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    close();
    // One that does not answer shall not use up the time of those behind it.
    reason = state_->connect_to(endpoints[i], host, left_until(end) / (endpoints.size() - i));
    if (reason.empty()) return "";
    if (state_->refused) break;
  }
  close();
  return where + reason;
}

std::string Connection::greet(const Hello& hello, Message& answer, Timeout timeout) {
  const Clock::time_point end = Clock::now() + timeout;
  const std::string unsent = send(encode_frame(hello), timeout);
  if (!is_open()) return unsent;
  // Where the Hello did not get through, the server may have said why before it closed.
  if (std::string reason = receive(answer, left_until(end)); !reason.empty())
    return unsent.empty() || refused() ? reason : unsent;
  if (std::holds_alternative<Welcome>(answer) || std::holds_alternative<Goodbye>(answer)) return "";
  const char* const flaw = "answered Hello with something else than Welcome";
  state_->say_goodbye(flaw);
  state_->refused = true;
  return std::string("the server ") + flaw;
}

std::string Connection::greet(const Hello& hello, Welcome& welcome, Timeout timeout) {
  Message answer;
  if (std::string reason = greet(hello, answer, timeout); !reason.empty()) return reason;
  if (const auto* goodbye = std::get_if<Goodbye>(&answer)) return "the server refuses: " + goodbye->reason;
  welcome = std::get<Welcome>(std::move(answer));
  return "";
}

void Connection::queue(std::shared_ptr<const Bytes> frame) {
  if (!is_open()) return;
  const std::span<const std::uint8_t> bytes = *frame;
  state_->queue({bytes, std::move(frame)});
}

bool Connection::has_sent_all() const { return state_->outbox.empty(); }

std::string Connection::send(std::span<const std::uint8_t> frame, Timeout timeout) {
  if (!is_open()) return "the connection is closed";
  state_->refused = false;
  if (!state_->write_error) state_->queue({frame});
  state_->run_until(Clock::now() + timeout, [this] { return state_->outbox.empty(); });
  if (state_->outbox.empty()) return state_->write_error ? describe(state_->write_error, kPeer) : "";
  close();
  return "the server did not take the frame" + in_time(timeout);
}

std::string Connection::receive(Message& message, Timeout timeout) { return receive(message, timeout, Timeout{0}); }

std::string Connection::receive(Message& message, Timeout timeout, Timeout whole) {
  if (!is_open()) return "the connection is closed";
  state_->refused = state_->against_rules = false;
  bool quiet = false;
  std::string reason = state_->read_frame(timeout, whole, quiet);
  if (quiet) return reason;
  if (reason.empty()) {
    reason = decode_frame(std::span(state_->frame).first(state_->received), state_->limits.body, message);
    state_->against_rules = !reason.empty();
  }
  state_->forget_frame();
  if (state_->against_rules) state_->say_goodbye(reason);
  if (!reason.empty()) close();
  return reason;
}

bool Connection::refused() const { return state_->refused; }

std::chrono::steady_clock::time_point Connection::last_heard() const { return state_->heard; }

bool Connection::is_open() const { return state_->stream != nullptr; }

void Connection::limit_body(std::size_t bytes) { state_->limits.body = bytes; }

void Connection::close() { state_->close(); }

}  // namespace anybit
