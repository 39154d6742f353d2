#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "wire/message.h"
#include "wire/tls.h"

namespace anybit {

/// Names a connection for as long as the program runs; never used twice. 0 is none.
using ConnectionId = std::uint64_t;

/// The clients that a connection plays, as its Hello said.
struct ClientRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
  bool holds(std::uint32_t client) const { return client >= first && client - first < count; }
};

inline constexpr const char* kSaidGoodbye = "said goodbye";

/// The task that a client's message is an answer to; null where it is none.
const TaskId* task_of_answer(const Message& message);

/// What happens on the server's connections. Called from Sessions::poll() only; may call Sessions::send() and close().
class SessionListener {
 public:
  virtual ~SessionListener() = default;
  /// Welcomed: from now on frames can be sent to it.
  virtual void joined(ConnectionId connection, const Hello& hello) = 0;
  /// What a client says of a task (Update, Accept, Decline), whose id names one that the connection plays. `frame` is
  /// what came, for counting and logging. Its bytes are the first of `storage`, and an update's delta is a view into
  /// them: both are good for the call only.
  /// Who keeps the update swaps message and storage for others of his own, whose capacity is used again.
  virtual void arrived(ConnectionId connection, Message& message, std::span<const std::uint8_t> frame,
                       Bytes& storage) = 0;
  /// A connection that had joined is gone, or sent what was refused. Once for each, but not after close() or stop(),
  /// and after dismiss() only where it did not take the Goodbye in time. Its clients are lost only where nobody else
  /// plays them: a peer that lost its line may have joined again before the old connection was found dead. The reason
  /// of a peer that went by itself begins with kSaidGoodbye.
  virtual void lost(ConnectionId connection, ClientRange clients, const std::string& reason) = 0;
  /// These clients said Hello and heard the Goodbye of hold() or dismiss() in place of Welcome.
  virtual void held(ClientRange clients);
  /// So many large uploads are being read now; told whenever that changes.
  virtual void staging(std::size_t uploads);
  /// A connection from this address was ended before it had joined.
  virtual void turned_away(const std::string& address, const std::string& reason);
};

struct SessionSettings {
  Welcome welcome = {};       // the answer to each Hello
  std::uint32_t clients = 1;  // of the federation: a Hello must stay below
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;               // 0: the system's choice
  std::optional<TlsSettings> tls = {};  // none: plain
  FrameLimits limits = {};
  std::size_t connections = 4096;                     // more wait in the system's queue until one ends
  std::size_t staged_uploads = 2;                     // large frames that are read at once; others wait unread
  std::size_t queued_bytes = std::size_t{512} << 20;  // per connection; more ends it
  std::chrono::milliseconds hello{5000};              // from accepting to a whole Hello
  std::chrono::milliseconds frame{60000};             // for a frame to end, or to go on at the least rate
  std::chrono::milliseconds pace{5000};               // how often a turn's progress is looked at while others wait
  std::size_t least_rate = std::size_t{16} << 10;     // bytes/s of a frame, at once where others wait for their turn
  std::chrono::milliseconds silence{3600000};         // between a peer's frames
  std::chrono::milliseconds farewell{1000};           // for a Goodbye to get through
  /// Told what is wrong with the allow-list when it was read again.
  std::function<void(const std::string&)> warn = [](const std::string&) {};
};

/// The server's end of all connections: accepts, reads and checks frames, queues what goes out. Plain TCP, or TLS, in
/// which a connection plays the one client that its certificate names: client-3 plays client 3. Peers may send
/// anything: a connection that breaks the rules of FORMAT.md gets a Goodbye with the reason and is closed.
/// Memory follows the bytes that arrived; on a declared length alone no more than 1 MiB. Deadlines are checked ten
/// times a second, and do not run while nobody calls poll(). The allow-list is looked at: who is not on it any more is
/// lost.
///
/// Has no thread of its own: whoever drives it calls poll(). All calls are the driver's, but post().
class Sessions {
 public:
  /// Listens at once. Throws std::runtime_error with address, port and reason, or for a file of TLS.
  Sessions(const SessionSettings& settings, SessionListener& listener);
  /// Closes everything at once, without a Goodbye.
  ~Sessions();
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  std::uint16_t port() const;

  /// Serves until the listener was called, posted work was done or `timeout` is over.
  void poll(std::chrono::milliseconds timeout);
  /// Has poll() do `work` soon. From any thread, as long as this object lives.
  void post(std::function<void()> work);

  /// Queues a frame behind those that wait. False where there is no such connection (any more). The frame may be in two
  /// pieces: `bulk` can be on its way to many connections at once, without a copy for each.
  bool send(ConnectionId connection, std::shared_ptr<const Bytes> frame, std::shared_ptr<const Bytes> bulk = nullptr);
  bool send(ConnectionId connection, const Message& message);
  /// From now on whoever says Hello hears this Goodbye; without one, Welcome again.
  void hold(std::optional<Goodbye> goodbye);
  /// Says Goodbye to all that have joined and ends their connections; whoever says Hello from now on hears it, too.
  void dismiss(const Goodbye& goodbye);
  /// Lets what is queued go out, says Goodbye and ends the connection.
  void close(ConnectionId connection, const Goodbye& goodbye);
  /// Accepts no more, lets what is queued go out, says Goodbye to all and waits until they have gone or `timeout` is
  /// over.
  void stop(const Goodbye& goodbye, std::chrono::milliseconds timeout);

  /// From now on a frame's body may have so many bytes at most, or what the settings allow where that is less.
  void limit_bodies(std::size_t most);
  /// Gives back the memory of large frames that are done with, for a driver that needs room.
  void free_spares();
  /// Connections that are open, joined or not.
  std::size_t open() const;
  /// Connections that were ended before they had joined.
  std::uint64_t turned_away() const;
  /// How often each of these ended a connection, joined or not.
  const std::map<TlsFailure, std::uint64_t>& refusals() const;
  /// Connections, joined or not, that were ended because of what they sent, or because a deadline was over.
  std::uint64_t broke_rules() const;
  std::uint64_t too_slow() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace anybit
