// Any bytes as a frame, whole and in two pieces: refused with a reason, or a message whose frame are these bytes.
#include "tests/fuzz/require.h"
#include "wire/message.h"

using namespace anybit;

namespace {

constexpr std::size_t kLimit = std::size_t{1} << 20;

bool is_frame_of(const Message& message, std::span<const std::uint8_t> bytes) {
  return std::ranges::equal(encode_frame(message), bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::span<const std::uint8_t> bytes(data, size);
  std::size_t body = 0;
  const bool header = check_header(bytes, kLimit, body).empty();
  require(!header || body <= kLimit, "an accepted header declares no more than the limit");
  Message message;
  const bool whole = decode_frame(bytes, kLimit, message).empty();
  require(header || !whole, "no frame without a right header");
  require(!whole || size == kFrameHeaderBytes + body, "a frame is as long as it declares");
  require(!whole || is_frame_of(message, bytes), "a frame has one reading");
  if (whole) require(frame_crc(bytes) == crc32c(bytes), "the header's sum gives the frame's");
  for (std::size_t cut = std::min(size, kFrameHeaderBytes); cut <= size; cut += 1 + size / 64) {
    const std::span<const std::uint8_t> bulk = bytes.subspan(cut);
    Message pieces;
    if (!decode_frame({bytes.first(cut), bulk, crc32c(bulk)}, kLimit, pieces).empty()) continue;
    require(whole, "two pieces hold no more than one");
    require(is_frame_of(pieces, bytes), "two pieces read as one");
  }
  return 0;
}
