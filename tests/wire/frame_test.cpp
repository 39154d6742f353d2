#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "tests/wire/allocations.h"
#include "tests/wire/samples.h"

namespace anybit {
namespace {

constexpr std::size_t kLimit = FrameLimits{}.body;

/// The first block marked hex of FORMAT.md.
Bytes frame_on_the_page() {
  std::ifstream page(ANYBIT_SOURCE_DIR "/wire/FORMAT.md");
  std::stringstream text;
  text << page.rdbuf();
  const std::string all = text.str();
  const std::size_t start = all.find("```hex\n") + 7;
  std::istringstream digits(all.substr(start, all.find("```", start) - start));
  Bytes bytes;
  for (unsigned value = 0; digits >> std::hex >> value;) bytes.push_back(static_cast<std::uint8_t>(value));
  return bytes;
}

// The page's bytes were packed by Python's struct with a CRC computed bit by bit.
TEST(Frame, PageDecodes) {
  Message message;
  ASSERT_EQ(decode_frame(frame_on_the_page(), kLimit, message), "");
  ASSERT_TRUE(std::holds_alternative<Acknowledge>(message));
  EXPECT_EQ(std::get<Acknowledge>(message).id, sample_task());
  EXPECT_EQ(encode_frame(Acknowledge{sample_task()}), frame_on_the_page());
}

TEST(Frame, EveryFlippedBitIsRefusedWithAReason) {
  for (const Message& message : one_of_each()) {
    Bytes frame = encode_frame(message);
    for (std::size_t bit = 0; bit < 8 * frame.size(); ++bit) {
      frame[bit / 8] = static_cast<std::uint8_t>(frame[bit / 8] ^ (1U << bit % 8));
      EXPECT_NE(refusal(frame), "") << "kind " << message.index() << " bit " << bit;
      frame[bit / 8] = static_cast<std::uint8_t>(frame[bit / 8] ^ (1U << bit % 8));
    }
    EXPECT_EQ(refusal(frame), "");
  }
}

TEST(Frame, EveryTruncationIsRefused) {
  for (const Message& message : one_of_each()) {
    const Bytes frame = encode_frame(message);
    for (std::size_t size = 0; size < frame.size(); ++size)
      EXPECT_NE(refusal(std::span(frame).first(size)), "") << "kind " << message.index() << " at " << size;
  }
}

TEST(Frame, BytesBehindTheEndAreRefused) {
  Bytes frame = encode_frame(Goodbye{"done"});
  frame.push_back(0);
  EXPECT_EQ(refusal(frame), "frame declares a body of 18 bytes and has 19");
}

/// Changes one header byte of an Acknowledge and, unlike an accident, its checksum with it.
std::string forge(std::size_t at, std::uint8_t value) {
  Bytes frame = frame_on_the_page();
  frame[at] = value;
  const std::uint32_t sum = crc32c(std::span(frame).first(20));
  std::memcpy(frame.data() + 20, &sum, sizeof sum);
  return refusal(frame);
}

TEST(Frame, EachHeaderFieldHasItsOwnReason) {
  for (std::size_t at = 0; at < 4; ++at) EXPECT_EQ(forge(at, 0), "not a frame of anybit");
  EXPECT_EQ(forge(4, 1), "the other end speaks protocol 1, this one 4: both need the same version of anybit");
  EXPECT_EQ(forge(5, 1), "the other end speaks protocol 260, this one 4: both need the same version of anybit");
  EXPECT_EQ(forge(6, 0), "unknown kind of frame 0");
  EXPECT_EQ(forge(6, 12), "unknown kind of frame 12");
  EXPECT_EQ(forge(7, 1), "reserved header byte is not zero");
  EXPECT_EQ(forge(8, 16), "frame declares a body of 16 bytes and has 17");
  EXPECT_EQ(forge(9, 0x10), "Acknowledge frame declares a body of 4113 bytes, allowed are 4096");
  for (std::size_t at = 10; at < 16; ++at) EXPECT_NE(forge(at, 1).find("allowed are 4096"), std::string::npos) << at;
  for (std::size_t at = 16; at < 20; ++at) EXPECT_EQ(forge(at, 0), "body checksum does not match");
  Bytes frame = frame_on_the_page();
  for (std::size_t at = 20; at < 24; ++at) {
    frame[at] = static_cast<std::uint8_t>(frame[at] + 1);
    EXPECT_EQ(refusal(frame), "header checksum does not match");
    frame[at] = static_cast<std::uint8_t>(frame[at] - 1);
  }
}

TEST(Frame, LimitIsCheckedOnTheHeaderAlone) {
  const Bytes frame = encode_frame(TaskMessage{sample_task(), 1, 0, 1, 0, 2, Bytes(5000, 3)});
  const auto header = std::span(frame).first(kFrameHeaderBytes);
  std::size_t body = 0;
  EXPECT_EQ(check_header(header, 4096, body), "Task frame declares a body of 5049 bytes, allowed are 4096");
  EXPECT_EQ(check_header(header, 5048, body), "Task frame declares a body of 5049 bytes, allowed are 5048");
  EXPECT_EQ(check_header(header, 5049, body), "");
  EXPECT_EQ(body, 5049U);
  EXPECT_EQ(check_header(header.first(23), 5049, body), "frame ends within its header");
}

TEST(Frame, SmallKindsStaySmallWhateverTheConnectionAllows) {
  EXPECT_NE(refusal(encode_frame(Hello{0, 1, std::string(5000, 'x')})), "");
  EXPECT_NE(refusal(encode_frame(Welcome{0, std::string(2 << 20, 'x')})), "");
  EXPECT_EQ(refusal(encode_frame(Welcome{0, std::string(1 << 19, 'x')})), "");
}

TEST(Frame, AppendsBehindWhatIsThere) {
  Bytes frames = encode_frame(Goodbye{"one"});
  const std::size_t first = frames.size();
  append_frame(Message(Goodbye{"two"}), frames);
  Message message;
  ASSERT_EQ(decode_frame(std::span(frames).subspan(first), kLimit, message), "");
  EXPECT_EQ(std::get<Goodbye>(message).reason, "two");
  EXPECT_EQ(refusal(std::span(frames).first(first)), "");
}

TEST(Frame, OneTaskServesEveryReceiver) {
  const CohortTask task({sample_task(), 60, 6, 1, 0, 0xaabb}, std::make_shared<const Bytes>(Bytes{1, 2, 3}));
  Bytes frame;
  append_frame_head(task, {5, 8, 3}, frame);
  frame.insert(frame.end(), task.parameters->begin(), task.parameters->end());
  TaskMessage expected = task.message;
  expected.id.client = 5;
  expected.chunks = 8;
  expected.counted = 3;
  EXPECT_EQ(frame, encode_frame(expected));
}

TEST(Frame, DecodesInTwoPiecesWhatItDecodesInOne) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100000}}) {
    const CohortTask task({sample_task(), 60, 6, 1, 0, 0xaabb}, std::make_shared<const Bytes>(size, std::uint8_t{7}));
    Bytes head;
    append_frame_head(task, {5, 2, 4}, head);
    Message received;
    ASSERT_EQ(decode_frame({head, *task.parameters, task.parameters_crc}, kLimit, received), "") << size;
    const auto& message = std::get<TaskMessage>(received);
    EXPECT_TRUE(size == 0 || message.parameters.data() == task.parameters->data()) << "copied";
    EXPECT_EQ(message.parameters.size(), size);
    EXPECT_EQ(message.id.client, 5U);
    EXPECT_EQ(message.chunks, 2U);
    EXPECT_EQ(message.counted, 4U);
  }
}

TEST(Frame, PiecesThatDoNotFitAreRefused) {
  const CohortTask task({sample_task(), 60, 6, 1, 0, 0xaabb}, std::make_shared<const Bytes>(Bytes{1, 2, 3}));
  Bytes head;
  append_frame_head(task, {5, 2, 4}, head);
  const auto refusal_of = [](const Bytes& begin, const Bytes& bulk) {
    Message message;
    return decode_frame({begin, bulk, crc32c(bulk)}, kLimit, message);
  };
  EXPECT_EQ(refusal_of(head, {1, 2, 3}), "");
  EXPECT_EQ(refusal_of(head, {1, 2, 4}), "body checksum does not match");
  EXPECT_EQ(refusal_of(head, {1, 2}), "frame declares a body of 52 bytes and has 51");
  const Bytes whole = encode_frame(task.message);
  for (std::size_t cut = kFrameHeaderBytes; cut < whole.size(); ++cut) {
    const auto place = whole.begin() + static_cast<std::ptrdiff_t>(cut);
    EXPECT_EQ(refusal_of({whole.begin(), place}, {place, whole.end()}) == "", cut == head.size()) << cut;
  }
  const Bytes text = encode_frame(Goodbye{"done"});
  EXPECT_NE(refusal_of({text.begin(), text.end() - 2}, {text.end() - 2, text.end()}), "");
}

TEST(Frame, ItsChecksumComesFromItsHeader) {
  UpdateMessage large = sample_update();
  large.delta = keep(Bytes(100000, 5));
  for (const Bytes& frame : {encode_frame(Goodbye{"done"}), encode_frame(sample_update()), encode_frame(large)})
    EXPECT_EQ(frame_crc(frame), crc32c(frame));
}

TEST(Frame, UpdateOverloadWritesTheSameBytes) {
  Bytes frame;
  append_frame(sample_update(), frame);
  EXPECT_EQ(frame, encode_frame(sample_update()));
}

// The bulk is copied and summed piece by piece.
TEST(Frame, LargeUpdatesAreSummedWhole) {
  Bytes delta(100001);
  for (std::size_t i = 0; i < delta.size(); ++i) delta[i] = static_cast<std::uint8_t>(i * 131 + i / 256);
  UpdateMessage update = sample_update();
  update.delta = delta;
  const Bytes frame = encode_frame(update);
  Bytes sealed = frame;
  seal(sealed);
  EXPECT_EQ(frame, sealed);
  EXPECT_TRUE(std::equal(delta.begin(), delta.end(), frame.end() - 100001));
}

TEST(Frame, AllocatesNothingOnceTheBuffersAreWarm) {
  UpdateMessage update = sample_update();
  update.delta = keep(Bytes(100000, 5));
  Bytes frame;
  Message received;
  append_frame(update, frame);
  ASSERT_EQ(decode_frame(frame, kLimit, received), "");
  AllocationWatch watch;
  frame.clear();
  append_frame(update, frame);
  const std::string reason = decode_frame(frame, kLimit, received);
  EXPECT_EQ(watch.calls(), 0U);
  EXPECT_EQ(reason, "");
}

}  // namespace
}  // namespace anybit
