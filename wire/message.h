#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "wire/codec.h"

namespace anybit {

// Bulk bytes (a task's parameters, an update's delta) are views: a message never owns them. In a decoded message they
// lie in the bytes that it was decoded from, in one that is to be sent wherever the sender has them (a cohort's shared
// downlink, a trainer's buffer). A message is good as long as those bytes stay where they are, and a copy of it no
// longer. What keeps a message for later keeps the bytes beside it: CohortTask here, ReceivedUpdate in the simulator.

/// The version of frames and bodies that this program speaks (FORMAT.md).
inline constexpr std::uint16_t kProtocol = 4;

/// One task, for ever: a retry is the same task (DESIGN D8).
struct TaskId {
  std::uint64_t run = 0;    // digest of the scenario's result-bearing text
  std::uint32_t round = 0;  // rounds begun before it, abandoned ones among them; asynchronous: tasks given before it
  std::uint32_t client = 0;
  bool operator==(const TaskId&) const = default;
};

/// That a device can say of itself.
inline constexpr std::size_t kMostWidths = 16;

/// Client -> server: who I am.
struct Hello {
  std::uint32_t client = 0;                // first client that this connection plays
  std::uint32_t clients = 1;               // how many it plays, from `client` on
  std::string kernel_set = {};             // at most 64 bytes
  std::uint32_t examples = 0;              // of each client; 0: as the scenario deals them out
  std::uint64_t memory = 0;                // bytes that a task may take; 0: not told
  std::vector<std::uint32_t> widths = {};  // that the device can run; empty: as the scenario's fleet says
  std::uint32_t state_version = 0;         // of the client's own state, as a task names it; 0: none, or not told
};

/// Server -> client: the run you are in.
struct Welcome {
  std::uint64_t run = 0;
  std::string scenario = {};  // result-bearing TOML; empty where both sides already hold it
  /// Each side lets the other hear something at least this often, from now on; 0: there is no need to.
  std::uint32_t heartbeat_milliseconds = 0;
};

/// The most chunks that a task may cut a batch into.
inline constexpr std::uint32_t kMostChunks = 8;

/// Server -> client: train this.
struct TaskMessage {
  TaskId id = {};
  std::uint32_t planned_rounds = 1;  // versions that the run is to make
  std::uint32_t version = 0;         // that the task starts from
  std::uint32_t chunks = 1;          // that each batch is cut into (chunks.h)
  /// What the client kept of which update it starts from (DESIGN D8): 1 + the last round in which one of its updates
  /// counted, in a version that is committed; 0: none did.
  std::uint32_t counted = 0;
  std::uint64_t layout = 0;                       // digest of the layout that `parameters` has
  std::span<const std::uint8_t> parameters = {};  // downlink code of all tensors that are broadcast; not owned
};

/// A tensor that only some of the client's steps trained.
struct TensorShare {
  std::uint32_t tensor = 0;
  std::uint32_t steps = 0;
};

/// Client -> server: what training changed.
struct UpdateMessage {
  TaskId id = {};
  std::uint64_t layout = 0;
  std::uint32_t digest = 0;  // CRC32C of the downlink that training started from, as in the offer
  std::uint32_t examples = 0;
  std::uint32_t steps = 0;                  // local steps taken
  std::vector<std::uint32_t> tensors = {};  // trained in every step, ascending
  std::vector<TensorShare> shares = {};     // trained in some steps only, ascending by tensor
  double loss = 0;                          // mean training loss over the client's steps
  /// Uplink code: local minus received, `tensors` then `shares`; not owned.
  std::span<const std::uint8_t> delta = {};
};

/// Server -> client.
struct Reject {
  TaskId id = {};
  std::string reason = {};
};
struct Acknowledge {
  TaskId id = {};
};
/// What a peer that is told Goodbye should do.
enum class Farewell : std::uint8_t {
  kRefused,    // not come again as it is
  kComeAgain,  // after the time that is named
  kOver,       // nothing: the run is over
};
/// Either side: no more from me.
struct Goodbye {
  std::string reason = {};
  Farewell farewell = Farewell::kRefused;
  std::uint32_t wait_milliseconds = 0;  // kComeAgain only
};
/// Server -> client: this task is yours if you want it. Comes before the task, whose parameters may be large.
struct Offer {
  TaskId id = {};
  std::uint64_t layout = 0;      // digest of the layout
  std::uint64_t parameters = 0;  // bytes of the downlink
  std::uint32_t digest = 0;      // CRC32C of the downlink
  std::uint32_t chunks = 1;
  std::uint32_t counted = 0;  // as in the task
  std::string method = {};    // training.method of the scenario: its name
  std::string options = {};   // and the rest of it, TOML, a key a line
};
/// Client -> server: send it.
struct Accept {
  TaskId id = {};
};
/// Client -> server: not this one.
struct Decline {
  TaskId id = {};
  std::string reason = {};
};
/// Either side: I am still here.
struct Heartbeat {};
/// Who has said nothing for so many of Welcome's heartbeats is taken for lost.
inline constexpr int kSilentHeartbeats = 3;

using Message = std::variant<Hello, Welcome, TaskMessage, UpdateMessage, Acknowledge, Reject, Goodbye, Offer, Accept,
                             Decline, Heartbeat>;

/// The largest body that a peer may send; checked before a byte is allocated. Kinds that are small by nature have
/// smaller limits of their own (FORMAT.md).
struct FrameLimits {
  std::size_t before_welcome = 4096;  // until a server has welcomed the peer
  std::size_t body = std::size_t{256} << 20;
};

/// A frame: the fixed header of FORMAT.md, then the body in Cereal's portable binary. Reasons longer than 1024 bytes
/// are cut, and what in them is not printable ASCII is replaced.
Bytes encode_frame(const Message& message);
/// The same, appended to `out`, whose capacity is thereby reused. `out` must not hold the message's bulk, which would
/// move.
void append_frame(const Message& message, Bytes& out);
void append_frame(const UpdateMessage& message, Bytes& out);

/// What differs between the tasks of a cohort.
struct TaskReceiver {
  std::uint32_t client = 0;
  std::uint32_t chunks = 1;
  std::uint32_t counted = 0;
};

/// The task that a whole cohort gets, with the bulk that it owns together with all who send it.
struct CohortTask {
  /// Reads the parameters once, for their checksum; `message.parameters` becomes a view of them.
  CohortTask(TaskMessage with, std::shared_ptr<const Bytes> encoded);
  /// For who knows it.
  CohortTask(TaskMessage with, std::shared_ptr<const Bytes> encoded, std::uint32_t crc);

  TaskMessage message;  // id.client, chunks and counted mean nothing: they are the receiver's
  std::shared_ptr<const Bytes> parameters;
  std::uint32_t parameters_crc;
};

/// Appends a frame up to its bulk: with task.parameters behind it, it is the task as `receiver` gets it. Costs the same
/// whatever the size of the parameters.
void append_frame_head(const CohortTask& task, const TaskReceiver& receiver, Bytes& head);

/// A frame in the two pieces that it is sent from; one behind the other they are the frame.
struct FramePieces {
  std::span<const std::uint8_t> head;       // of one receiver
  std::span<const std::uint8_t> bulk = {};  // of all
  std::uint32_t bulk_crc = 0;               // CRC32C of the bulk

  std::size_t size() const { return head.size() + bulk.size(); }
};

inline constexpr std::size_t kFrameHeaderBytes = 24;

/// Reads a header (kFrameHeaderBytes). Returns "" and the body's length, or the reason for refusal.
std::string check_header(std::span<const std::uint8_t> header, std::size_t limit, std::size_t& body_bytes);

/// Whether a header is that of another version of the protocol than this program speaks.
bool is_other_protocol(std::span<const std::uint8_t> header);

/// Reads a whole frame (header and body). Returns "" and the message, or the reason for refusal; `message` is then
/// unspecified. Its bulk bytes are views into `frame`. Never throws for what a peer sent, never allocates more than the
/// frame's own size (and small change). Where `message` already holds one of the frame's kind, its vectors keep their
/// capacity.
std::string decode_frame(std::span<const std::uint8_t> frame, std::size_t limit, Message& message);
/// The same for a frame that never was in one piece. `bulk_crc` is believed: it comes from this process.
std::string decode_frame(const FramePieces& frame, std::size_t limit, Message& message);
/// Whether this reason is that bytes did not arrive as they were sent.
bool says_damaged(const std::string& reason);

/// CRC32C of a whole frame that decode_frame() took, from the sum in its header: the body is not read again.
std::uint32_t frame_crc(std::span<const std::uint8_t> frame);

/// CRC32C (Castagnoli), as in the frame header and in checkpoints. `seed` is the checksum of what came before:
/// crc32c(b, crc32c(a)) is the checksum of a followed by b.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t seed = 0);

}  // namespace anybit
