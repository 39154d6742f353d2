// Start at Sessions::State (accepting, deadlines), then Session (one connection: reading above, writing below).
// Everything runs inside poll(), on the driver's thread; there is no lock because there is nothing to share.
#include "server/sessions.h"

#include <algorithm>
#include <array>
#include <asio.hpp>
#include <deque>
#include <map>
#include <stdexcept>
#include <utility>
#include <vector>

namespace anybit {
namespace {

using Clock = std::chrono::steady_clock;
using asio::ip::tcp;

constexpr std::chrono::milliseconds kSweep{100};
constexpr std::size_t kFirstRoom = std::size_t{1} << 20;  // read without asking how much of it has arrived
constexpr std::size_t kKeptRoom = std::size_t{64} << 10;  // what an idle connection may hold
constexpr std::size_t kSpares = 2;

std::string describe(const asio::error_code& error) {
  return error == asio::error::eof ? "the peer closed the connection" : error.message();
}

/// A frame that waits to be sent, with the bulk that it shares with others where it has one.
struct Outgoing {
  std::shared_ptr<const Bytes> head;
  std::shared_ptr<const Bytes> bulk = nullptr;

  std::size_t size() const { return head->size() + (bulk ? bulk->size() : 0); }
  std::array<asio::const_buffer, 2> pieces() const {
    return {asio::buffer(*head), bulk ? asio::buffer(*bulk) : asio::const_buffer()};
  }
};

}  // namespace

struct Sessions::State {
  class Session;

  State(const SessionSettings& with, SessionListener& to) : settings(with), listener(to), acceptor(io) { listen(); }

  void listen();
  void accept();
  void accepted(const asio::error_code& error, tcp::socket socket);
  void sweep();
  void remove(ConnectionId id);
  Session* find(ConnectionId id);
  Bytes take_spare();
  void give_spare(Bytes buffer);

  const SessionSettings settings;
  SessionListener& listener;
  asio::io_context io{1};
  tcp::acceptor acceptor;
  std::uint16_t port = 0;
  std::map<ConnectionId, std::shared_ptr<Session>> sessions;
  std::vector<Bytes> spares;  // large frame buffers of connections that are idle again
  Message message;            // decoded into again and again
  ConnectionId last_id = 0;
  Clock::time_point next_sweep = Clock::now() + kSweep;
  bool accepting = false;
  bool stopping = false;
  bool something_happened = false;
  std::uint64_t turned_away = 0;
};

/// One connection. Its handlers keep it alive until the socket has let go of its buffers.
class Sessions::State::Session : public std::enable_shared_from_this<Session> {
 public:
  Session(State& state, ConnectionId id, tcp::socket socket)
      : state_(state), id_(id), socket_(std::move(socket)), read_deadline_(Clock::now() + state.settings.hello) {}

  void start() {
    asio::error_code ignored;
    socket_.set_option(tcp::no_delay(true), ignored);
    read();
  }

  bool joined() const { return clients_.count > 0 && !ended_; }
  const ClientRange& clients() const { return clients_; }

  void send(Outgoing frame) {
    queued_bytes_ += frame.size();
    outbox_.push_back(std::move(frame));
    if (outbox_.size() == 1) write();
    if (queued_bytes_ <= state_.settings.queued_bytes) return;
    // Posted, because the listener is called from poll() only and this may be the driver's own call.
    asio::post(state_.io, [self = shared_from_this()] { self->lose("does not read what it is sent"); });
  }

  /// Ends the connection: what is queued still goes out where `flush`, then a Goodbye; the socket closes when the peer
  /// has read it or the farewell's time is over.
  void end(const std::string& reason, bool flush) {
    if (ended_) return;
    ended_ = true;
    if (!flush && outbox_.size() > 1) outbox_.erase(outbox_.begin() + 1, outbox_.end());
    outbox_.push_back({std::make_shared<const Bytes>(encode_frame(Goodbye{reason}))});
    farewell_deadline_ = Clock::now() + (flush ? state_.settings.frame : state_.settings.farewell);
    if (outbox_.size() == 1) write();
    // Posted, because draining reuses the buffer of a frame that the listener may be looking at.
    asio::post(state_.io, [self = shared_from_this()] { self->drain(); });
  }

  /// The same, for what the peer or the network did: the listener hears of it.
  void lose(const std::string& reason) {
    if (ended_) return;
    const bool had_joined = joined();
    end(reason, false);
    report(had_joined, reason);
  }

  void check_deadlines(Clock::time_point now) {
    if (ended_) {
      if (now >= farewell_deadline_) close();
    } else if (now >= read_deadline_) {
      lose(received_ > 0 ? "a frame took too long" : joined() ? "was silent for too long" : "said no Hello in time");
    } else if (!outbox_.empty() && now >= write_deadline_) {
      lose("took too long to read a frame");
    }
  }

 private:
  void report(bool had_joined, const std::string& reason) {
    if (!had_joined) {
      ++state_.turned_away;
      return;
    }
    state_.something_happened = true;
    state_.listener.lost(id_, clients_, reason);
  }

  /// Without a Goodbye: the peer is not there to hear it.
  void vanish(const std::string& reason) {
    const bool had_joined = joined();
    const bool news = !std::exchange(ended_, true);
    close();
    if (news) report(had_joined, reason);
  }

  void close() {
    asio::error_code ignored;
    socket_.close(ignored);
    state_.remove(id_);
  }

  // Reading: wanted_ bytes of a frame, its header first.

  void read() {
    const std::size_t room = std::min(wanted_, std::max(kFirstRoom, 2 * received_));
    if (frame_.size() < room) frame_.resize(room);
    const std::size_t end = std::min(wanted_, frame_.size());
    reading_ = true;
    socket_.async_read_some(
        asio::buffer(frame_.data() + received_, end - received_),
        [self = shared_from_this()](const asio::error_code& error, std::size_t size) { self->did_read(error, size); });
  }

  void did_read(const asio::error_code& error, std::size_t bytes) {
    reading_ = false;
    if (ended_) return error ? close() : drain();
    if (error) return vanish(describe(error) + (received_ > 0 ? " in the middle of a frame" : ""));
    if (received_ == 0 && joined()) read_deadline_ = Clock::now() + state_.settings.frame;
    received_ += bytes;
    if (received_ == kFrameHeaderBytes && wanted_ == kFrameHeaderBytes) take_header();
    if (ended_) return;
    if (received_ == wanted_) take_frame();
    if (!ended_) read();
  }

  std::size_t limit() const {
    return clients_.count > 0 ? state_.settings.limits.body : state_.settings.limits.before_welcome;
  }

  void take_header() {
    std::size_t body_bytes = 0;
    const std::string reason = check_header(std::span(frame_).first(kFrameHeaderBytes), limit(), body_bytes);
    if (!reason.empty()) return lose(reason);
    wanted_ = kFrameHeaderBytes + body_bytes;
    if (wanted_ <= frame_.size()) return;
    Bytes spare = state_.take_spare();
    if (spare.size() <= frame_.size()) return;
    std::copy_n(frame_.begin(), kFrameHeaderBytes, spare.begin());
    frame_ = std::move(spare);
  }

  void take_frame() {
    const std::span<const std::uint8_t> frame = std::span(frame_).first(wanted_);
    const std::string reason = decode_frame(frame, limit(), state_.message);
    received_ = 0;
    wanted_ = kFrameHeaderBytes;
    if (!reason.empty()) return lose(reason);
    read_deadline_ = Clock::now() + state_.settings.silence;
    take_message(frame);
    if (frame_.size() > kKeptRoom) state_.give_spare(std::exchange(frame_, {}));
  }

  void take_message(std::span<const std::uint8_t> frame) {
    Message& message = state_.message;
    if (const auto* goodbye = std::get_if<Goodbye>(&message)) return vanish("said goodbye: " + goodbye->reason);
    if (clients_.count == 0) {
      const auto* hello = std::get_if<Hello>(&message);
      return hello == nullptr ? lose("the first frame must be a Hello") : take_hello(*hello);
    }
    const auto* update = std::get_if<UpdateMessage>(&message);
    if (update == nullptr) return lose("only updates are expected from a client");
    if (!clients_.holds(update->id.client))
      return lose("sent an update of client " + std::to_string(update->id.client) + ", which it does not play");
    state_.something_happened = true;
    state_.listener.arrived(id_, message, frame, frame_);
  }

  void take_hello(const Hello& hello) {
    const std::uint32_t known = state_.settings.clients;
    if (hello.protocol != kProtocol) return lose("speaks protocol " + std::to_string(hello.protocol));
    if (hello.clients == 0 || hello.client >= known || hello.clients > known - hello.client) {
      return lose("plays " + std::to_string(hello.clients) + " clients from " + std::to_string(hello.client) +
                  " on, the federation has " + std::to_string(known));
    }
    clients_ = {hello.client, hello.clients};
    send({std::make_shared<const Bytes>(encode_frame(state_.settings.welcome))});
    state_.something_happened = true;
    state_.listener.joined(id_, hello);
  }

  /// Reads and forgets until the peer closes: closing with bytes unread would destroy the Goodbye on its way.
  void drain() {
    if (reading_) return;
    received_ = 0;
    wanted_ = kKeptRoom;
    read();
  }

  // Writing: the first of outbox_ is under way.

  void write() {
    write_deadline_ = Clock::now() + state_.settings.frame;
    asio::async_write(socket_, outbox_.front().pieces(),
                      [self = shared_from_this()](const asio::error_code& error, std::size_t) { self->wrote(error); });
  }

  void wrote(const asio::error_code& error) {
    if (error) return vanish(describe(error));
    queued_bytes_ -= std::min(queued_bytes_, outbox_.front().size());
    outbox_.pop_front();
    if (!outbox_.empty()) return write();
    if (!ended_) return;
    asio::error_code ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    farewell_deadline_ = Clock::now() + state_.settings.farewell;
  }

  State& state_;
  const ConnectionId id_;
  tcp::socket socket_;
  ClientRange clients_;  // empty until a Hello was welcomed
  Bytes frame_;
  std::size_t received_ = 0;
  std::size_t wanted_ = kFrameHeaderBytes;
  std::deque<Outgoing> outbox_;
  std::size_t queued_bytes_ = 0;
  Clock::time_point read_deadline_;
  Clock::time_point write_deadline_;
  Clock::time_point farewell_deadline_;
  bool reading_ = false;
  bool ended_ = false;
};

void Sessions::State::listen() {
  try {
    const tcp::endpoint endpoint(asio::ip::make_address(settings.address), settings.port);
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address(true));
    acceptor.bind(endpoint);
    acceptor.listen();
    port = acceptor.local_endpoint().port();
  } catch (const std::system_error& error) {
    throw std::runtime_error("cannot listen on " + settings.address + ":" + std::to_string(settings.port) + ": " +
                             error.what());
  }
  accept();
}

void Sessions::State::accept() {
  if (accepting || stopping || sessions.size() >= settings.connections) return;
  accepting = true;
  acceptor.async_accept(
      [this](const asio::error_code& error, tcp::socket socket) { accepted(error, std::move(socket)); });
}

void Sessions::State::accepted(const asio::error_code& error, tcp::socket socket) {
  accepting = false;
  if (stopping || error) return;  // too few descriptors, say: the next sweep tries again
  auto session = std::make_shared<Session>(*this, ++last_id, std::move(socket));
  sessions.emplace(last_id, session);
  session->start();
  accept();
}

void Sessions::State::sweep() {
  const Clock::time_point now = Clock::now();
  next_sweep = now + kSweep;
  std::vector<std::shared_ptr<Session>> all;  // a copy: ending one changes the map
  for (const auto& [id, session] : sessions) all.push_back(session);
  for (const auto& session : all) session->check_deadlines(now);
  accept();
}

void Sessions::State::remove(ConnectionId id) {
  sessions.erase(id);
  accept();
}

Sessions::State::Session* Sessions::State::find(ConnectionId id) {
  const auto found = sessions.find(id);
  return found == sessions.end() || !found->second->joined() ? nullptr : found->second.get();
}

Bytes Sessions::State::take_spare() {
  if (spares.empty()) return {};
  Bytes spare = std::move(spares.back());
  spares.pop_back();
  return spare;
}

void Sessions::State::give_spare(Bytes buffer) {
  if (spares.size() < kSpares) spares.push_back(std::move(buffer));
}

Sessions::Sessions(const SessionSettings& settings, SessionListener& listener)
    : state_(std::make_unique<State>(settings, listener)) {}

Sessions::~Sessions() = default;

std::uint16_t Sessions::port() const { return state_->port; }

void Sessions::poll(std::chrono::milliseconds timeout) {
  State& state = *state_;
  const Clock::time_point end = Clock::now() + timeout;
  const auto work = asio::make_work_guard(state.io);
  state.something_happened = false;
  do {
    if (Clock::now() >= state.next_sweep) state.sweep();
    if (state.io.poll_one() == 0) state.io.run_one_until(std::min(end, state.next_sweep));
  } while (!state.something_happened && Clock::now() < end);
}

void Sessions::post(std::function<void()> work) {
  asio::post(state_->io, [this, work = std::move(work)] {
    state_->something_happened = true;
    work();
  });
}

bool Sessions::send(ConnectionId connection, std::shared_ptr<const Bytes> frame, std::shared_ptr<const Bytes> bulk) {
  State::Session* session = state_->find(connection);
  if (session != nullptr) session->send({std::move(frame), std::move(bulk)});
  return session != nullptr;
}

bool Sessions::send(ConnectionId connection, const Message& message) {
  return send(connection, std::make_shared<const Bytes>(encode_frame(message)));
}

ConnectionId Sessions::playing(std::uint32_t client) const {
  for (auto entry = state_->sessions.rbegin(); entry != state_->sessions.rend(); ++entry)
    if (entry->second->joined() && entry->second->clients().holds(client)) return entry->first;
  return 0;
}

void Sessions::close(ConnectionId connection, const std::string& reason) {
  if (State::Session* session = state_->find(connection)) session->end(reason, true);
}

void Sessions::stop(const std::string& reason, std::chrono::milliseconds timeout) {
  const Clock::time_point end = Clock::now() + timeout;
  state_->stopping = true;
  asio::error_code ignored;
  state_->acceptor.close(ignored);
  std::vector<std::shared_ptr<State::Session>> all;
  for (const auto& [id, session] : state_->sessions) all.push_back(session);
  for (const auto& session : all) session->end(reason, true);
  while (!state_->sessions.empty() && Clock::now() < end) poll(std::min(kSweep, timeout));
}

std::size_t Sessions::open() const { return state_->sessions.size(); }

std::uint64_t Sessions::turned_away() const { return state_->turned_away; }

}  // namespace anybit
