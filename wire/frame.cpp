// Frames: the header and its checks. FORMAT.md has the grammar.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "wire/body.h"
#include "wire/message.h"

namespace anybit {
namespace {

constexpr std::uint32_t kMagic = 0x42594e41;  // "ANYB" as little-endian bytes
constexpr std::size_t kHeaderSumAt = 20;
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
}};

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

template <class... Body>
void append(std::size_t kind, std::size_t bulk_bytes, Bytes& out, const Body&... body) {
  const std::size_t start = out.size();
  out.reserve(start + kFrameHeaderBytes + 256 + bulk_bytes);
  out.resize(start + kFrameHeaderBytes);
  append_body(body..., out);
  const std::span<const std::uint8_t> whole = std::span(out).subspan(start);
  const std::span<const std::uint8_t> written = whole.subspan(kFrameHeaderBytes);
  std::uint8_t* header = out.data() + start;
  store(header, kMagic);
  store(header + 4, kProtocol);
  store(header + 6, static_cast<std::uint8_t>(kind + 1));
  store(header + 7, std::uint8_t{0});
  store(header + 8, static_cast<std::uint64_t>(written.size()));
  store(header + 16, crc32c(written));
  store(header + kHeaderSumAt, crc32c(whole.first(kHeaderSumAt)));
}

std::size_t bulk_bytes(const UpdateMessage& update) {
  return update.delta.size() + update.tensors.size() * sizeof(std::uint32_t) +
         update.shares.size() * sizeof(TensorShare);
}

std::size_t bulk_bytes(const Message& message) {
  if (const auto* task = std::get_if<TaskMessage>(&message)) return task->parameters.size();
  if (const auto* update = std::get_if<UpdateMessage>(&message)) return bulk_bytes(*update);
  if (const auto* welcome = std::get_if<Welcome>(&message)) return welcome->scenario.size();
  return 0;
}

}  // namespace

void append_frame(const Message& message, Bytes& out) { append(message.index(), bulk_bytes(message), out, message); }

void append_frame(const UpdateMessage& message, Bytes& out) { append(3, bulk_bytes(message), out, message); }

void append_frame(const TaskMessage& message, const TaskReceiver& receiver, Bytes& out) {
  append(2, message.parameters.size(), out, message, receiver);
}

Bytes encode_frame(const Message& message) {
  Bytes frame;
  append_frame(message, frame);
  return frame;
}

std::string check_header(std::span<const std::uint8_t> header, std::size_t limit, std::size_t& body_bytes) {
  if (header.size() < kFrameHeaderBytes) return "frame ends within its header";
  if (load<std::uint32_t>(header, 0) != kMagic) return "not a frame of anybit";
  // Before the checksum, because another version may order the rest of its header differently.
  const auto protocol = load<std::uint16_t>(header, 4);
  if (protocol != kProtocol)
    return "peer speaks protocol " + std::to_string(protocol) + ", this is " + std::to_string(kProtocol);
  if (load<std::uint32_t>(header, kHeaderSumAt) != crc32c(header.first(kHeaderSumAt)))
    return "header checksum does not match";
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

std::string decode_frame(std::span<const std::uint8_t> frame, std::size_t limit, Message& message) {
  std::size_t body_bytes = 0;
  if (std::string reason = check_header(frame, limit, body_bytes); !reason.empty()) return reason;
  const std::span<const std::uint8_t> body = frame.subspan(kFrameHeaderBytes);
  if (body.size() != body_bytes) {
    return "frame declares a body of " + std::to_string(body_bytes) + " bytes and has " + std::to_string(body.size());
  }
  if (load<std::uint32_t>(frame, 16) != crc32c(body)) return "body checksum does not match";
  const std::size_t kind = load<std::uint8_t>(frame, 6) - std::size_t{1};
  std::string reason = read_body(kind, body, message);
  return reason.empty() ? reason : std::string(kKinds[kind].name) + " " + reason;
}

}  // namespace anybit
