// Frames: the header and its checks. FORMAT.md has the grammar.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "wire/body.h"
#include "wire/crc32c.h"
#include "wire/message.h"

namespace anybit {
namespace {

constexpr const char* kDamagedHeader = "header checksum does not match";
constexpr const char* kDamagedBody = "body checksum does not match";

constexpr std::uint32_t kMagic = 0x42594e41;  // "ANYB" as little-endian bytes
constexpr std::size_t kBodySumAt = 16;
constexpr std::size_t kHeaderSumAt = 20;
constexpr std::size_t kSmallFields = 256;              // room for the body of a kind without lists and texts
constexpr std::size_t kPiece = std::size_t{32} << 10;  // is still in the cache when it is summed after being copied
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();

/// One kind of frame, in the order of Message; its number on the wire is its index + 1.
struct Kind {
  const char* name;
  std::size_t limit;  // of the body, on top of the caller's
};
constexpr std::array<Kind, std::variant_size_v<Message>> kKinds = {{
    {"Hello", 4096},
    {"Welcome", std::size_t{1} << 20},
    {"Task", kUnlimited},
    {"Update", kUnlimited},
    {"Acknowledge", 4096},
    {"Reject", 4096},
    {"Goodbye", 4096},
    {"Offer", std::size_t{64} << 10},
    {"Accept", 64},
    {"Decline", 4096},
    {"Heartbeat", 64},
}};

constexpr std::size_t kTask = 2;
constexpr std::size_t kUpdate = 3;
static_assert(std::is_same_v<std::variant_alternative_t<kTask, Message>, TaskMessage>);
static_assert(std::is_same_v<std::variant_alternative_t<kUpdate, Message>, UpdateMessage>);

template <class T>
void store(std::uint8_t* at, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) at[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

template <class T>
T load(std::span<const std::uint8_t> bytes, std::size_t at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof value; ++i)
    value = static_cast<T>(value | static_cast<T>(bytes[at + i]) << (8 * i));
  return value;
}

void write_header(std::size_t kind, std::size_t body_bytes, std::uint32_t body_crc, std::uint8_t* header) {
  store(header, kMagic);
  store(header + 4, kProtocol);
  store(header + 6, static_cast<std::uint8_t>(kind + 1));
  store(header + 7, std::uint8_t{0});
  store(header + 8, static_cast<std::uint64_t>(body_bytes));
  store(header + kBodySumAt, body_crc);
  store(header + kHeaderSumAt, crc32c({header, kHeaderSumAt}));
}

template <class... Body>
void append(std::size_t kind, std::size_t large_bytes, Bytes& out, const Body&... body) {
  const std::size_t start = out.size();
  out.reserve(start + kFrameHeaderBytes + kSmallFields + large_bytes);
  out.resize(start + kFrameHeaderBytes);
  const std::span<const std::uint8_t> bulk = append_body(body..., out);
  std::uint32_t crc = crc32c(std::span(out).subspan(start + kFrameHeaderBytes));
  for (std::size_t at = 0; at < bulk.size(); at += kPiece) {
    const std::span<const std::uint8_t> piece = bulk.subspan(at, std::min(kPiece, bulk.size() - at));
    out.insert(out.end(), piece.begin(), piece.end());
    crc = crc32c(piece, crc);
  }
  write_header(kind, out.size() - start - kFrameHeaderBytes, crc, out.data() + start);
}

/// About the bytes of what may be large.
std::size_t large_bytes(const UpdateMessage& update) {
  return update.delta.size() + update.tensors.size() * sizeof(std::uint32_t) +
         update.shares.size() * sizeof(TensorShare);
}

std::size_t large_bytes(const Message& message) {
  if (const auto* task = std::get_if<TaskMessage>(&message)) return task->parameters.size();
  if (const auto* update = std::get_if<UpdateMessage>(&message)) return large_bytes(*update);
  if (const auto* welcome = std::get_if<Welcome>(&message)) return welcome->scenario.size();
  return 0;
}

}  // namespace

void append_frame(const Message& message, Bytes& out) { append(message.index(), large_bytes(message), out, message); }

void append_frame(const UpdateMessage& message, Bytes& out) { append(kUpdate, large_bytes(message), out, message); }

CohortTask::CohortTask(TaskMessage with, std::shared_ptr<const Bytes> encoded)
    : CohortTask(std::move(with), encoded, crc32c(*encoded)) {}

CohortTask::CohortTask(TaskMessage with, std::shared_ptr<const Bytes> encoded, std::uint32_t crc)
    : message(std::move(with)), parameters(std::move(encoded)), parameters_crc(crc) {
  message.parameters = *parameters;
}

void append_frame_head(const CohortTask& task, const TaskReceiver& receiver, Bytes& head) {
  const std::size_t start = head.size();
  head.resize(start + kFrameHeaderBytes);
  const std::size_t bulk = append_body(task.message, receiver, head).size();
  const std::span<const std::uint8_t> written = std::span(head).subspan(start + kFrameHeaderBytes);
  write_header(kTask, written.size() + bulk, crc32c_combine(crc32c(written), task.parameters_crc, bulk),
               head.data() + start);
}

Bytes encode_frame(const Message& message) {
  Bytes frame;
  append_frame(message, frame);
  return frame;
}

bool says_damaged(const std::string& reason) { return reason == kDamagedHeader || reason == kDamagedBody; }

bool is_other_protocol(std::span<const std::uint8_t> header) {
  return header.size() >= kFrameHeaderBytes && load<std::uint32_t>(header, 0) == kMagic &&
         load<std::uint16_t>(header, 4) != kProtocol;
}

std::string check_header(std::span<const std::uint8_t> header, std::size_t limit, std::size_t& body_bytes) {
  if (header.size() < kFrameHeaderBytes) return "frame ends within its header";
  if (load<std::uint32_t>(header, 0) != kMagic) return "not a frame of anybit";
  // Before the checksum, because another version may order the rest of its header differently.
  if (is_other_protocol(header))
    return "the other end speaks protocol " + std::to_string(load<std::uint16_t>(header, 4)) + ", this one " +
           std::to_string(kProtocol) + ": both need the same version of anybit";
  if (load<std::uint32_t>(header, kHeaderSumAt) != crc32c(header.first(kHeaderSumAt))) return kDamagedHeader;
  const std::size_t kind = load<std::uint8_t>(header, 6);
  if (kind < 1 || kind > kKinds.size()) return "unknown kind of frame " + std::to_string(kind);
  if (header[7] != 0) return "reserved header byte is not zero";
  const auto length = load<std::uint64_t>(header, 8);
  const std::size_t allowed = std::min(limit, kKinds[kind - 1].limit);
  if (length > allowed) {
    return std::string(kKinds[kind - 1].name) + " frame declares a body of " + std::to_string(length) +
           " bytes, allowed are " + std::to_string(allowed);
  }
  body_bytes = static_cast<std::size_t>(length);
  return "";
}

std::string decode_frame(const FramePieces& frame, std::size_t limit, Message& message) {
  std::size_t body_bytes = 0;
  if (std::string reason = check_header(frame.head, limit, body_bytes); !reason.empty()) return reason;
  const std::span<const std::uint8_t> body = frame.head.subspan(kFrameHeaderBytes);
  if (const std::size_t have = body.size() + frame.bulk.size(); have != body_bytes)
    return "frame declares a body of " + std::to_string(body_bytes) + " bytes and has " + std::to_string(have);
  if (load<std::uint32_t>(frame.head, kBodySumAt) != crc32c_combine(crc32c(body), frame.bulk_crc, frame.bulk.size()))
    return kDamagedBody;
  const std::size_t kind = load<std::uint8_t>(frame.head, 6) - std::size_t{1};
  std::string reason = read_body(kind, body, frame.bulk, message);
  return reason.empty() ? reason : std::string(kKinds[kind].name) + " " + reason;
}

std::string decode_frame(std::span<const std::uint8_t> frame, std::size_t limit, Message& message) {
  return decode_frame(FramePieces{.head = frame}, limit, message);
}

std::uint32_t frame_crc(std::span<const std::uint8_t> frame) {
  return crc32c_combine(crc32c(frame.first(kFrameHeaderBytes)), load<std::uint32_t>(frame, kBodySumAt),
                        load<std::uint64_t>(frame, 8));
}

}  // namespace anybit
