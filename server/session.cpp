// Start at start(); then reading above, writing below. Everything runs inside Sessions::poll(), on the driver's thread.
#include "server/session.h"

#include <algorithm>
#include <utility>

namespace anybit {
namespace {

constexpr std::size_t kFirstRoom = std::size_t{1} << 20;   // read without asking how much of it has arrived
constexpr std::size_t kKeptRoom = std::size_t{4} << 10;    // what an idle connection may hold
constexpr std::size_t kForgotten = std::size_t{64} << 10;  // read at once of what is forgotten
constexpr std::size_t kSpares = 2;
constexpr std::size_t kUnstaged = std::size_t{64} << 10;  // a frame that is read without waiting for a turn
constexpr std::uint32_t kComeAgainMilliseconds = 500;
constexpr int kLongestTurn = 10;  // times of a frame, where others wait

constexpr const char* kPeer = "the peer";

/// Of bytes that a frame cannot be read from.
Fault fault_of(const std::string& reason) { return says_damaged(reason) ? Fault::kDamaged : Fault::kBrokeRules; }

double seconds_of(Session::Clock::duration time) { return std::chrono::duration<double>(time).count(); }

bool is_smaller(const Bytes& a, const Bytes& b) { return a.size() < b.size(); }

}  // namespace

const TaskId* task_of_answer(const Message& message) {
  if (const auto* update = std::get_if<UpdateMessage>(&message)) return &update->id;
  if (const auto* accept = std::get_if<Accept>(&message)) return &accept->id;
  if (const auto* decline = std::get_if<Decline>(&message)) return &decline->id;
  return nullptr;
}

void SharedBySessions::count_staged(int more) {
  staged += static_cast<std::size_t>(more);
  listener.staging(staged);
}

Bytes SharedBySessions::take_spare() {
  if (spares.empty()) return {};
  const auto largest = std::ranges::max_element(spares, is_smaller);
  Bytes spare = std::move(*largest);
  spares.erase(largest);
  return spare;
}

void SharedBySessions::give_spare(Bytes buffer) {
  spares.push_back(std::move(buffer));
  if (spares.size() > kSpares) spares.erase(std::ranges::min_element(spares, is_smaller));
}

Session::Session(SharedBySessions& shared, ConnectionId id, std::string address, std::unique_ptr<ByteStream> stream)
    : shared_(shared),
      id_(id),
      address_(std::move(address)),
      stream_(std::move(stream)),
      read_deadline_(Clock::now() + shared.settings.hello) {}

void Session::start() {
  stream_->handshake(
      [self = shared_from_this()](const std::error_code& error, std::size_t) { self->did_handshake(error); });
}

void Session::send(Outgoing frame) {
  queued_bytes_ += frame.memory();
  outbox_.push_back(std::move(frame));
  if (outbox_.size() == 1) write();
  if (queued_bytes_ <= shared_.settings.queued_bytes) return;
  // Posted, because the listener is called from poll() only and this may be the driver's own call.
  shared_.post([self = shared_from_this()] { self->lose("does not read what it is sent", Fault::kTooSlow); });
}

void Session::end(const Goodbye& goodbye, bool flush) {
  if (ended_) return;
  ended_ = true;
  free_turn();
  if (!ready_) return close();  // it could not be told
  if (!flush && outbox_.size() > 1) outbox_.erase(outbox_.begin() + 1, outbox_.end());
  outbox_.push_back({std::make_shared<const Bytes>(encode_frame(goodbye))});
  farewell_deadline_ = Clock::now() + (flush ? shared_.settings.frame : shared_.settings.farewell);
  if (outbox_.size() == 1) write();
  // Posted, because draining reuses the buffer of a frame that the listener may be looking at.
  shared_.post([self = shared_from_this()] { self->drain(); });
}

void Session::dismiss(const Goodbye& goodbye) {
  if (!joined()) return;
  dismissed_ = true;
  end(goodbye, true);
}

void Session::lose(const std::string& reason, Fault fault) {
  if (ended_) return;
  const bool had_joined = joined();
  ++(fault == Fault::kTooSlow ? shared_.too_slow : shared_.broke_rules);
  const Farewell farewell = fault == Fault::kBrokeRules ? Farewell::kRefused : Farewell::kComeAgain;
  end({reason, farewell, kComeAgainMilliseconds}, false);
  report(had_joined, reason);
}

void Session::excuse(Clock::duration pause) {
  for (Clock::time_point* deadline : {&read_deadline_, &write_deadline_, &farewell_deadline_})
    if (*deadline < Clock::time_point::max() - pause) *deadline += pause;
}

void Session::check_deadlines(Clock::time_point now) {
  if (ended_) {
    if (now < farewell_deadline_) return;
    if (dismissed_) report(true, "did not take the Goodbye");
    close();
  } else if (now >= read_deadline_) {
    lose(!ready_         ? "did not end the handshake in time"
         : received_ > 0 ? "a frame took too long"
         : joined()      ? "was silent for too long"
                         : "said no Hello in time",
         Fault::kTooSlow);
  } else if (!outbox_.empty() && now >= write_deadline_) {
    lose("took too long to read a frame", Fault::kTooSlow);
  } else if (staged_ && holds_others_up(now)) {
    lose("sent a frame too slowly while others waited", Fault::kTooSlow);
  } else if (owes_a_sign_of_life(now)) {
    send({std::make_shared<const Bytes>(encode_frame(Heartbeat{}))});
  }
}

void Session::check_allowed(const TlsContext& tls) {
  const PeerIdentity* peer = stream_->peer();
  if (ended_ || peer == nullptr || tls.allows(*peer)) return;
  refuse(TlsFailure::kNotAllowed, describe(TlsFailure::kNotAllowed, kPeer));
}

void Session::refuse(TlsFailure failure, const std::string& reason) {
  ++shared_.refusals[failure];
  lose(reason);
}

void Session::report(bool had_joined, const std::string& reason) {
  shared_.something_happened = true;
  if (had_joined) return shared_.listener.lost(id_, clients_, reason);
  ++shared_.turned_away;
  shared_.listener.turned_away(address_, reason);
}

/// Without a Goodbye: the peer is not there to hear it.
void Session::vanish(const std::string& reason) {
  const bool had_joined = joined();
  const bool news = !std::exchange(ended_, true);
  free_turn();
  close();
  if (news) report(had_joined, reason);
}

void Session::close() {
  stream_->close();
  shared_.gone(id_);
}

void Session::did_handshake(const std::error_code& error) {
  if (ended_) return;
  const std::optional<TlsFailure> failure = tls_failure(error);
  if (error && !failure) return vanish(describe(error, kPeer) + " in the TLS handshake");
  ready_ = true;
  if (failure) return refuse(*failure, describe(*failure, kPeer));
  // The list may have changed since the certificate was looked at.
  if (shared_.tls != nullptr) check_allowed(*shared_.tls);
  if (!ended_) read();
}

// Reading: wanted_ bytes of a frame, its header first.

void Session::read() {
  const std::size_t room = std::min(wanted_, std::max(kFirstRoom, 2 * received_));
  if (frame_.size() < room) frame_.resize(room);
  const std::size_t end = std::min(wanted_, frame_.size());
  reading_ = true;
  stream_->read_some(
      std::span(frame_).subspan(received_, end - received_),
      [self = shared_from_this()](const std::error_code& error, std::size_t bytes) { self->did_read(error, bytes); });
}

void Session::did_read(const std::error_code& error, std::size_t bytes) {
  reading_ = false;
  if (ended_) return error ? close() : drain();
  if (error) return vanish(describe(error, kPeer) + (received_ > 0 ? " in the middle of a frame" : ""));
  if (received_ == 0 && joined()) begin_window();
  received_ += bytes;
  if (joined() && goes_on()) begin_window();
  if (received_ == kFrameHeaderBytes && wanted_ == kFrameHeaderBytes) take_header();
  if (ended_ || waiting_) return;
  if (received_ == wanted_) take_frame();
  if (!ended_) read();
}

/// From now on the frame has its time to end, or to go on at the least rate: so a slow line may take longer, and a peer
/// that stops is noticed.
void Session::begin_window() {
  read_deadline_ = Clock::now() + shared_.settings.frame;
  window_begin_ = received_;
}

bool Session::goes_on() const {
  const SessionSettings& settings = shared_.settings;
  return static_cast<double>(received_ - window_begin_) >=
         seconds_of(settings.frame) * static_cast<double>(settings.least_rate);
}

std::size_t Session::limit() const {
  return clients_.count > 0 ? shared_.largest_body : shared_.settings.limits.before_welcome;
}

void Session::take_header() {
  if (stream_->peer() == nullptr && !joined() && looks_like_tls(frame_))
    return refuse(TlsFailure::kTlsPeer, describe(TlsFailure::kTlsPeer, kPeer));
  std::size_t body_bytes = 0;
  const std::string reason = check_header(std::span(frame_).first(kFrameHeaderBytes), limit(), body_bytes);
  if (!reason.empty()) return lose(reason, fault_of(reason));
  wanted_ = kFrameHeaderBytes + body_bytes;
  if (body_bytes > kUnstaged && wait_for_turn()) return;
  make_room();
}

void Session::make_room() {
  if (wanted_ <= frame_.size()) return;
  Bytes spare = shared_.take_spare();
  if (spare.size() <= frame_.size()) return;
  std::copy_n(frame_.begin(), kFrameHeaderBytes, spare.begin());
  frame_ = std::move(spare);
}

void Session::take_frame() {
  const std::span<const std::uint8_t> frame = std::span(frame_).first(wanted_);
  const std::string reason = decode_frame(frame, limit(), shared_.message);
  received_ = 0;
  wanted_ = kFrameHeaderBytes;
  if (!reason.empty()) return lose(reason, fault_of(reason));
  read_deadline_ = Clock::now() + shared_.settings.silence;
  take_message(frame);
  if (frame_.size() > kKeptRoom) shared_.give_spare(std::exchange(frame_, {}));
  free_turn();
}

/// Whether so many large frames are being read already that this one has to wait: it is not read until then.
bool Session::wait_for_turn() {
  if (shared_.staged < shared_.settings.staged_uploads) {
    begin_turn();
    return false;
  }
  waiting_ = true;
  read_deadline_ = Clock::time_point::max();
  shared_.waiting.push_back(weak_from_this());
  return true;
}

void Session::begin_turn() {
  shared_.count_staged(1);
  staged_ = true;
  looked_at_ = Clock::now();
  waited_for_ = {};
  received_before_ = received_;
}

/// Whether a turn is too slow: in each time in which others wait, the least rate must have come, and of a large frame
/// what lets it end in kLongestTurn. So a peer that declares much and sends little loses its turn soon.
bool Session::holds_others_up(Clock::time_point now) {
  const SessionSettings& settings = shared_.settings;
  const Clock::duration since = now - std::exchange(looked_at_, now);
  std::erase_if(shared_.waiting, [](const std::weak_ptr<Session>& waiting) {
    const std::shared_ptr<Session> session = waiting.lock();
    return session == nullptr || session->ended_;
  });
  if (shared_.waiting.empty()) {
    waited_for_ = {};
    received_before_ = received_;
    return false;
  }
  waited_for_ += std::min<Clock::duration>(since, kOwnPause);
  if (waited_for_ < settings.pace) return false;
  const double seconds = seconds_of(std::exchange(waited_for_, {}));
  const double rate = static_cast<double>(wanted_) / seconds_of(kLongestTurn * settings.frame);
  const double due = seconds * std::max(rate, static_cast<double>(settings.least_rate));
  return static_cast<double>(received_ - std::exchange(received_before_, received_)) < due;
}

/// Whether the peer has to hear that this end is still here: in the middle of a frame it cannot ask.
bool Session::owes_a_sign_of_life(Clock::time_point now) const {
  const std::chrono::milliseconds beat(shared_.settings.welcome.heartbeat_milliseconds);
  return joined() && beat.count() > 0 && outbox_.empty() && received_ > 0 && now - spoke_ >= beat;
}

/// Hands the turn on to who waits for one.
void Session::free_turn() {
  if (!std::exchange(staged_, false)) return;
  shared_.count_staged(-1);
  while (!shared_.waiting.empty()) {
    const std::shared_ptr<Session> next = shared_.waiting.front().lock();
    shared_.waiting.pop_front();
    if (next == nullptr || next->ended_) continue;
    next->begin_turn();
    shared_.post([next] { next->take_turn(); });
    return;
  }
}

void Session::take_turn() {
  waiting_ = false;
  if (ended_) return;
  begin_window();
  make_room();
  read();
}

void Session::take_message(std::span<const std::uint8_t> frame) {
  Message& message = shared_.message;
  if (const auto* goodbye = std::get_if<Goodbye>(&message))
    return vanish(std::string(kSaidGoodbye) + ": " + goodbye->reason);
  if (clients_.count == 0) {
    const auto* hello = std::get_if<Hello>(&message);
    return hello == nullptr ? lose("the first frame must be a Hello") : take_hello(*hello);
  }
  if (std::holds_alternative<Heartbeat>(message)) {
    if (outbox_.empty()) send({std::make_shared<const Bytes>(encode_frame(message))});  // else it hears enough
    return;
  }
  const TaskId* task = task_of_answer(message);
  if (task == nullptr)
    return lose(std::holds_alternative<Hello>(message) ? "said Hello twice" : "sent what only a server says");
  if (!clients_.holds(task->client))
    return lose("answered for client " + std::to_string(task->client) + ", which it does not play");
  shared_.something_happened = true;
  shared_.listener.arrived(id_, message, frame, frame_);
}

void Session::take_hello(const Hello& hello) {
  const std::uint32_t known = shared_.settings.clients;
  if (hello.clients == 0 || hello.client >= known || hello.clients > known - hello.client) {
    return lose("plays " + std::to_string(hello.clients) + " clients from " + std::to_string(hello.client) +
                " on, the federation has " + std::to_string(known));
  }
  if (!is_named(hello)) {
    return refuse(TlsFailure::kOtherClient, "plays " + std::to_string(hello.clients) + " clients from " +
                                                std::to_string(hello.client) + " on, its certificate is that of " +
                                                stream_->peer()->name);
  }
  if (shared_.held) {
    ++shared_.turned_away;
    shared_.something_happened = true;
    shared_.listener.held({hello.client, hello.clients});
    return end(*shared_.held, true);
  }
  clients_ = {hello.client, hello.clients};
  send({std::make_shared<const Bytes>(encode_frame(shared_.settings.welcome))});
  shared_.something_happened = true;
  shared_.listener.joined(id_, hello);
}

/// Whether it plays the one client that its certificate names.
bool Session::is_named(const Hello& hello) const {
  const PeerIdentity* peer = stream_->peer();
  return peer == nullptr || (hello.clients == 1 && peer->name == "client-" + std::to_string(hello.client));
}

/// Reads and forgets until the peer closes: closing with bytes unread would destroy the Goodbye on its way.
void Session::drain() {
  if (reading_) return;
  frame_ = {};
  shared_.forgotten.resize(kForgotten);
  reading_ = true;
  stream_->read_some(shared_.forgotten, [self = shared_from_this()](const std::error_code& error, std::size_t bytes) {
    self->did_read(error, bytes);
  });
}

// Writing.

void Session::write() {
  const SessionSettings& settings = shared_.settings;
  const std::chrono::seconds on_a_slow_line(outbox_.front().size() / settings.least_rate);
  write_deadline_ = Clock::now() + settings.frame + on_a_slow_line;
  stream_->write(outbox_.front().pieces(),
                 [self = shared_from_this()](const std::error_code& error, std::size_t) { self->wrote(error); });
}

void Session::wrote(const std::error_code& error) {
  if (error) return vanish(describe(error, kPeer));
  spoke_ = Clock::now();
  queued_bytes_ -= std::min(queued_bytes_, outbox_.front().memory());
  outbox_.pop_front();
  if (!outbox_.empty()) return write();
  if (!ended_) return;
  stream_->shutdown();
  farewell_deadline_ = Clock::now() + shared_.settings.farewell;
}

}  // namespace anybit
