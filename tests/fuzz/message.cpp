// Any bytes as the body of each kind of message, in a frame that is right: refused with a reason, or a message whose
// body are these bytes. The first byte is the kind.
#include "tests/fuzz/fuzz_bytes.h"
#include "tests/fuzz/require.h"
#include "tests/wire/samples.h"

using namespace anybit;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Message used;  // decoded into again and again, as servers do
  FuzzBytes input(data, size);
  const auto kind = static_cast<std::uint8_t>(1 + input.byte() % std::variant_size_v<Message>);
  const Bytes frame = frame_of(kind, bytes_of(input.rest()));
  Message fresh;
  const std::string reason = decode_frame(frame, FrameLimits{}.body, fresh);
  require(decode_frame(frame, FrameLimits{}.body, used) == reason, "what was decoded before does not matter");
  require(reason.size() < 1024, "a reason is short");
  if (!reason.empty()) {
    used = {};  // its views may be of anything
    return 0;
  }
  require(fresh.index() + 1 == kind, "a message is of its kind");
  require(encode_frame(fresh) == frame, "a body has one reading");
  require(encode_frame(used) == frame, "a body has one reading in a message that is used again");
  return 0;
}
