#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "wire/codec.h"

namespace anybit {

/// The version of frames and bodies that this program speaks (FORMAT.md).
inline constexpr std::uint16_t kProtocol = 2;

/// One task, for ever: a retry is the same task (DESIGN D8).
struct TaskId {
  std::uint64_t run = 0;    // digest of the scenario's result-bearing text
  std::uint32_t round = 0;  // the version that the task starts from
  std::uint32_t client = 0;
  bool operator==(const TaskId&) const = default;
};

/// Client -> server: who I am.
struct Hello {
  std::uint32_t protocol = kProtocol;
  std::uint32_t client = 0;   // first client that this connection plays
  std::uint32_t clients = 1;  // how many it plays, from `client` on
  std::string kernel_set = {};
};

/// Server -> client: the run you are in.
struct Welcome {
  std::uint32_t protocol = kProtocol;
  std::uint64_t run = 0;
  std::string scenario = {};  // result-bearing TOML; empty where both sides already hold it
};

/// The most chunks that a task may cut a batch into.
inline constexpr std::uint32_t kMostChunks = 8;

/// Server -> client: train this.
struct TaskMessage {
  TaskId id = {};
  std::uint32_t planned_rounds = 1;
  std::uint32_t chunks = 1;  // that each batch is cut into (chunks.h)
  std::uint64_t layout = 0;  // digest of the layout that `parameters` has
  Bytes parameters = {};     // downlink code of all tensors that are broadcast
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
  std::uint32_t examples = 0;
  std::uint32_t steps = 0;                  // local steps taken
  std::vector<std::uint32_t> tensors = {};  // trained in every step, ascending
  std::vector<TensorShare> shares = {};     // trained in some steps only, ascending by tensor
  double loss = 0;                          // mean training loss over the client's steps
  Bytes delta = {};                         // uplink code: local minus received, `tensors` then `shares`
};

/// Server -> client.
struct Reject {
  TaskId id = {};
  std::string reason = {};
};
struct Acknowledge {
  TaskId id = {};
};
/// Either side: no more from me.
struct Goodbye {
  std::string reason = {};
};

using Message = std::variant<Hello, Welcome, TaskMessage, UpdateMessage, Acknowledge, Reject, Goodbye>;

/// The largest body that a peer may send; checked before a byte is allocated. Kinds that are small by nature have
/// smaller limits of their own (FORMAT.md).
struct FrameLimits {
  std::size_t before_welcome = 4096;  // until a server has welcomed the peer
  std::size_t body = std::size_t{256} << 20;
};

/// A frame: the fixed header of FORMAT.md, then the body in Cereal's portable binary. Reasons longer than 1024 bytes
/// are cut.
Bytes encode_frame(const Message& message);
/// The same, appended to `out`, whose capacity is thereby reused.
void append_frame(const Message& message, Bytes& out);
void append_frame(const UpdateMessage& message, Bytes& out);
/// What differs between the tasks of a cohort.
struct TaskReceiver {
  std::uint32_t client = 0;
  std::uint32_t chunks = 1;
};
/// The task as `receiver` gets it, with id.client and chunks from there: one message in memory serves a whole cohort.
void append_frame(const TaskMessage& message, const TaskReceiver& receiver, Bytes& out);

inline constexpr std::size_t kFrameHeaderBytes = 24;

/// Reads a header (kFrameHeaderBytes). Returns "" and the body's length, or the reason for refusal.
std::string check_header(std::span<const std::uint8_t> header, std::size_t limit, std::size_t& body_bytes);

/// Reads a whole frame (header and body). Returns "" and the message, or the reason for refusal; `message` is then
/// unspecified. Never throws for what a peer sent, never allocates more than the frame's own size (and small change).
/// Where `message` already holds one of the frame's kind, its vectors keep their capacity.
std::string decode_frame(std::span<const std::uint8_t> frame, std::size_t limit, Message& message);

/// CRC32C (Castagnoli), as in the frame header and in checkpoints. `seed` is the checksum of what came before:
/// crc32c(b, crc32c(a)) is the checksum of a followed by b.
std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t seed = 0);

}  // namespace anybit
