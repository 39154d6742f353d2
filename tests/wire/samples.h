#pragma once

#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "tests/wire/kept_bytes.h"
#include "wire/message.h"

namespace anybit {

inline TaskId sample_task() { return {0x1122334455667788, 7, 42}; }

inline UpdateMessage sample_update() {
  UpdateMessage update;
  update.id = sample_task();
  update.layout = 0xaabb;
  update.digest = 0x12345678;
  update.examples = 100;
  update.steps = 4;
  update.tensors = {0, 3};
  update.shares = {{5, 2}};
  update.loss = 0.5;
  update.delta = keep({9, 8, 7});
  return update;
}

/// One message of every kind, none of their fields at its default.
inline std::vector<Message> one_of_each() {
  return {Hello{3, 2, "avx2", 600, 1ULL << 33, {8, 4}, 6},
          Welcome{99, "seed = 1\n", 5000},
          TaskMessage{sample_task(), 60, 6, 4, 5, 0xaabb, keep({1, 2, 3, 4})},
          sample_update(),
          Acknowledge{sample_task()},
          Reject{sample_task(), "late"},
          Goodbye{"done", Farewell::kComeAgain, 250},
          Offer{sample_task(), 0xaabb, 4, 0x12345678, 4, 5, "mqat", "activations = 8\n"},
          Accept{sample_task()},
          Decline{sample_task(), "too large"},
          Heartbeat{}};
}

/// Puts right checksums into a frame that a test has changed on purpose.
inline void seal(Bytes& frame) {
  const std::uint32_t body = crc32c(std::span(frame).subspan(kFrameHeaderBytes));
  std::memcpy(frame.data() + 16, &body, sizeof body);
  const std::uint32_t header = crc32c(std::span(frame).first(20));
  std::memcpy(frame.data() + 20, &header, sizeof header);
}

/// A frame of this kind and body with right lengths and checksums.
inline Bytes frame_of(std::uint8_t kind, const Bytes& body) {
  Bytes frame(kFrameHeaderBytes + body.size());
  const Bytes start = {0x41, 0x4e, 0x59, 0x42, kProtocol, 0, kind, 0};
  std::copy(start.begin(), start.end(), frame.begin());
  const std::uint64_t length = body.size();
  std::memcpy(frame.data() + 8, &length, sizeof length);
  std::copy(body.begin(), body.end(), frame.begin() + kFrameHeaderBytes);
  seal(frame);
  return frame;
}

/// The first bytes of a message's frame.
inline Bytes start_of(const Message& message, std::size_t bytes) {
  Bytes frame = encode_frame(message);
  frame.resize(bytes);
  return frame;
}

inline std::string refusal(std::span<const std::uint8_t> frame, std::size_t limit = FrameLimits{}.body) {
  Message message;
  return decode_frame(frame, limit, message);
}

}  // namespace anybit
