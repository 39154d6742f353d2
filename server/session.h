#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "server/sessions.h"
#include "wire/byte_stream.h"

namespace anybit {

class Session;

/// A longer time between two looks at the sessions is none of the peers'.
inline constexpr std::chrono::milliseconds kOwnPause{500};

/// What the sessions of a server have in common.
struct SharedBySessions {
  const SessionSettings settings;
  SessionListener& listener;
  const TlsContext* tls = nullptr;                  // null: plain
  std::size_t largest_body = 0;                     // that a frame may have of who has joined
  std::function<void(std::function<void()>)> post;  // has it done soon, outside of whatever runs now
  std::function<void(ConnectionId)> gone;           // told when a session has closed
  Bytes forgotten = {};                             // where all read that are ended
  std::vector<Bytes> spares = {};                   // large frame buffers of connections that are idle again
  Message message = {};                             // decoded into again and again
  std::optional<Goodbye> held = {};                 // what a Hello hears in place of Welcome
  std::size_t staged = 0;                           // uploads that are being read
  std::deque<std::weak_ptr<Session>> waiting = {};  // for their turn to be read
  std::uint64_t turned_away = 0;
  std::map<TlsFailure, std::uint64_t> refusals = {};
  std::uint64_t broke_rules = 0;
  std::uint64_t too_slow = 0;
  bool something_happened = false;  // that the listener heard of

  void count_staged(int more);
  Bytes take_spare();
  void give_spare(Bytes buffer);
};

/// A frame that waits to be sent, with the bulk that it shares with others where it has one.
struct Outgoing {
  std::shared_ptr<const Bytes> head;
  std::shared_ptr<const Bytes> bulk = nullptr;

  /// What it holds while it waits: for small frames more than their bytes.
  std::size_t memory() const { return sizeof *this + sizeof *head + head->capacity() + (bulk ? bulk->size() : 0); }
  std::size_t size() const { return head->size() + (bulk ? bulk->size() : 0); }
  ByteStream::Pieces pieces() const {
    return {*head, bulk ? std::span<const std::uint8_t>(*bulk) : std::span<const std::uint8_t>()};
  }
};

/// Why a connection is ended by the server.
enum class Fault : std::uint8_t {
  kBrokeRules,  // it would do so again
  kDamaged,     // what was sent whole did not arrive so: it counts as the former, but may come again
  kTooSlow,     // may come again, too
};

/// The server's end of one connection. What it waits for keeps it alive until the stream has let go of its buffers.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Clock = std::chrono::steady_clock;

  Session(SharedBySessions& shared, ConnectionId id, std::string address, std::unique_ptr<ByteStream> stream);

  void start();
  /// Welcomed and not ended.
  bool joined() const { return clients_.count > 0 && !ended_; }

  void send(Outgoing frame);
  /// Ends the connection: what is queued still goes out where `flush`, then a Goodbye; the stream closes when the peer
  /// has read it or the farewell's time is over.
  void end(const Goodbye& goodbye, bool flush);
  /// end() with what is queued; the listener hears of it where the peer does not take the Goodbye in time.
  void dismiss(const Goodbye& goodbye);
  /// The same as end(), for what the peer or the network did: the listener hears of it.
  void lose(const std::string& reason, Fault fault = Fault::kBrokeRules);
  /// Its deadlines do not run while the server serves nobody: for so long.
  void excuse(Clock::duration pause);
  void check_deadlines(Clock::time_point now);
  /// Goes on reading an upload that had to wait.
  void take_turn();
  /// Loses it where its certificate is on the list no more.
  void check_allowed(const TlsContext& tls);

 private:
  void refuse(TlsFailure failure, const std::string& reason);
  void report(bool had_joined, const std::string& reason);
  void vanish(const std::string& reason);
  void close();

  void did_handshake(const std::error_code& error);
  void read();
  void did_read(const std::error_code& error, std::size_t bytes);
  void drain();
  void begin_window();
  bool goes_on() const;
  std::size_t limit() const;
  void take_header();
  void make_room();
  void take_frame();
  void take_message(std::span<const std::uint8_t> frame);
  void take_hello(const Hello& hello);
  bool wait_for_turn();
  void begin_turn();
  bool holds_others_up(Clock::time_point now);
  bool owes_a_sign_of_life(Clock::time_point now) const;
  void free_turn();
  bool is_named(const Hello& hello) const;

  void write();
  void wrote(const std::error_code& error);

  SharedBySessions& shared_;
  const ConnectionId id_;
  const std::string address_;  // the peer's
  const std::unique_ptr<ByteStream> stream_;
  ClientRange clients_;  // empty until a Hello was welcomed
  Bytes frame_;
  std::size_t received_ = 0;  // of the frame, and
  std::size_t wanted_ = kFrameHeaderBytes;
  std::size_t window_begin_ = 0;  // what had been received when its time began
  std::deque<Outgoing> outbox_;   // the first is under way
  std::size_t queued_bytes_ = 0;
  Clock::time_point read_deadline_;
  Clock::time_point write_deadline_;
  Clock::time_point farewell_deadline_;
  Clock::time_point spoke_;          // when a frame was last written
  Clock::time_point looked_at_;      // a turn's progress: when it was last looked at, how long others have waited
  Clock::duration waited_for_ = {};  // since it was judged, and what had been received then
  std::size_t received_before_ = 0;
  bool ready_ = false;  // the handshake is done
  bool reading_ = false;
  bool ended_ = false;
  bool dismissed_ = false;
  bool staged_ = false;   // has one of the turns
  bool waiting_ = false;  // for one
};

}  // namespace anybit
