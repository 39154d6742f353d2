#include "wire/message.h"

#include <gtest/gtest.h>

#include "nn/random.h"
#include "tests/wire/allocations.h"
#include "tests/wire/samples.h"

namespace anybit {
namespace {

constexpr std::size_t kBodyLimit = FrameLimits{}.body;

/// Packed by Python's struct: sample_update() as a body.
Bytes update_body() {
  return {1,    0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, 7, 0, 0, 0, 42, 0, 0, 0,  // task
          0xbb, 0xaa, 0,    0,    0,    0,    0,    0,                                    // layout
          0x78, 0x56, 0x34, 0x12, 100,  0,    0,    0,    4,    0, 0, 0,                  // digest, examples, steps
          2,    0,    0,    0,    0,    0,    0,    0,    0,    0, 0, 0, 3, 0,  0, 0,     // tensors
          1,    0,    0,    0,    0,    0,    0,    0,    5,    0, 0, 0, 2, 0,  0, 0,     // shares
          0,    0,    0,    0,    0,    0,    0xe0, 0x3f,                                 // loss
          3,    0,    0,    0,    0,    0,    0,    0,    9,    8, 7};                    // delta
}
constexpr std::size_t kTensorsAt = 37;
constexpr std::size_t kSharesAt = 53;
constexpr std::size_t kDeltaAt = 77;

TEST(Message, UpdateHasTheBytesOfThePage) {
  const Bytes frame = encode_frame(sample_update());
  EXPECT_EQ(frame, frame_of(4, update_body()));
}

TEST(Message, EveryKindComesBackAsItWas) {
  for (const Message& message : one_of_each()) {
    Message received;
    const Bytes frame = encode_frame(message);
    ASSERT_EQ(decode_frame(frame, kBodyLimit, received), "");
    EXPECT_EQ(received.index(), message.index());
    EXPECT_EQ(encode_frame(received), frame);
  }
}

TEST(Message, FieldsComeBack) {
  Message received;
  const Bytes frame = frame_of(4, update_body());
  ASSERT_EQ(decode_frame(frame, kBodyLimit, received), "");
  const auto& update = std::get<UpdateMessage>(received);
  EXPECT_EQ(update.id, sample_task());
  EXPECT_EQ(update.layout, 0xaabbU);
  EXPECT_EQ(update.digest, 0x12345678U);
  EXPECT_EQ(update.examples, 100U);
  EXPECT_EQ(update.steps, 4U);
  EXPECT_EQ(update.tensors, (std::vector<std::uint32_t>{0, 3}));
  ASSERT_EQ(update.shares.size(), 1U);
  EXPECT_EQ(update.shares[0].tensor, 5U);
  EXPECT_EQ(update.shares[0].steps, 2U);
  EXPECT_EQ(update.loss, 0.5);
  EXPECT_EQ(bytes_of(update.delta), (Bytes{9, 8, 7}));
  EXPECT_EQ(update.delta.data(), frame.data() + frame.size() - 3) << "bulk is viewed where it lies";
}

TEST(Message, DeclaredSizesAreCheckedBeforeAllocation) {
  struct Lie {
    std::size_t at;
    std::uint64_t size;
  };
  const Lie lies[] = {{kTensorsAt, 1ULL << 60}, {kTensorsAt, ~0ULL}, {kTensorsAt, 11},
                      {kSharesAt, 1ULL << 60},  {kSharesAt, ~0ULL},  {kSharesAt, 4},
                      {kDeltaAt, 1ULL << 60},   {kDeltaAt, ~0ULL},   {kDeltaAt, 4}};
  for (const Lie& lie : lies) {
    Bytes body = update_body();
    std::memcpy(body.data() + lie.at, &lie.size, sizeof lie.size);
    const Bytes frame = frame_of(4, body);
    Message message;
    AllocationWatch watch;
    const std::string reason = decode_frame(frame, kBodyLimit, message);
    EXPECT_LT(watch.largest(), 512U);
    EXPECT_TRUE(reason.starts_with("Update body declares " + std::to_string(lie.size) + " elements")) << reason;
  }
}

TEST(Message, HostileTextSizeIsRefused) {
  Bytes body = {1, 0, 0, 0, 0, 0, 0, 0, 0x10, 'x'};
  EXPECT_EQ(refusal(frame_of(7, body)), "Goodbye body declares 1152921504606846976 elements where 1 bytes remain");
}

TEST(Message, TruncatedBodiesWithRightChecksumsAreRefused) {
  const Bytes body = update_body();
  for (std::size_t size = 0; size < body.size(); ++size) {
    const Bytes part(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_NE(refusal(frame_of(4, part)), "") << size;
  }
}

TEST(Message, BytesLeftInTheBodyAreRefused) {
  Bytes body = update_body();
  body.push_back(0);
  EXPECT_EQ(refusal(frame_of(4, body)), "Update body has 1 bytes too many");
}

TEST(Message, OtherByteOrdersAreRefused) {
  for (int mark = 0; mark < 256; ++mark) {
    Bytes body = update_body();
    body[0] = static_cast<std::uint8_t>(mark);
    EXPECT_EQ(refusal(frame_of(4, body)), mark == 1 ? "" : "Update body is not marked little-endian") << mark;
  }
}

TEST(Message, TensorsMustAscend) {
  UpdateMessage update = sample_update();
  update.tensors = {3, 3};
  EXPECT_EQ(refusal(encode_frame(update)), "Update tensors are not ascending");
  update = sample_update();
  update.shares = {{5, 1}, {4, 1}};
  EXPECT_EQ(refusal(encode_frame(update)), "Update tensor shares are not ascending");
}

TEST(Message, ChunksOfATaskAreBounded) {
  for (const std::uint32_t chunks : {1U, 2U, kMostChunks})
    EXPECT_EQ(refusal(encode_frame(TaskMessage{sample_task(), 60, 6, chunks, 5, 0xaabb, keep({1})})), "") << chunks;
  for (const std::uint32_t chunks : {0U, kMostChunks + 1, ~0U})
    EXPECT_EQ(refusal(encode_frame(TaskMessage{sample_task(), 60, 6, chunks, 5, 0xaabb, keep({1})})),
              "Task cuts batches into " + std::to_string(chunks) + " chunks, allowed are 1 to 8");
}

TEST(Message, WidthsOfADeviceAreBounded) {
  Hello hello;
  hello.widths.assign(kMostWidths, 16);
  EXPECT_EQ(refusal(encode_frame(hello)), "");
  const std::string reason = "Hello says widths of its device that are not 2 to 16 or 32, or more than 16";
  for (const std::uint32_t wrong : {0U, 1U, 17U, 33U, ~0U}) {
    hello.widths = {8, wrong};
    EXPECT_EQ(refusal(encode_frame(hello)), reason) << wrong;
  }
  hello.widths.assign(kMostWidths + 1, 16);
  EXPECT_EQ(refusal(encode_frame(hello)), reason);
}

TEST(Message, LongReasonsAreCut) {
  Message received;
  ASSERT_EQ(decode_frame(encode_frame(Goodbye{std::string(9000, 'x')}), kBodyLimit, received), "");
  EXPECT_EQ(std::get<Goodbye>(received).reason.size(), 1024U);
  ASSERT_EQ(decode_frame(encode_frame(Reject{sample_task(), std::string(9000, 'x')}), kBodyLimit, received), "");
  EXPECT_EQ(std::get<Reject>(received).reason.size(), 1024U);
}

TEST(Message, LongReasonsOfOthersAreRefused) {
  const auto body_with = [](Bytes before, std::uint64_t letters, const Bytes& behind) {
    const auto* length = reinterpret_cast<const std::uint8_t*>(&letters);
    before.insert(before.end(), length, length + sizeof letters);
    before.insert(before.end(), letters, 'x');
    before.insert(before.end(), behind.begin(), behind.end());
    return before;
  };
  const Bytes of_task = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_EQ(refusal(frame_of(6, body_with(of_task, 1024, {}))), "");
  EXPECT_EQ(refusal(frame_of(6, body_with(of_task, 1025, {}))), "Reject has a reason of 1025 bytes, allowed are 1024");
  EXPECT_EQ(refusal(frame_of(10, body_with(of_task, 1025, {}))),
            "Decline has a reason of 1025 bytes, allowed are 1024");
  EXPECT_EQ(refusal(frame_of(7, body_with({1}, 1025, {0, 0, 0, 0, 0}))),
            "Goodbye has a reason of 1025 bytes, allowed are 1024");
}

/// The reasons for refusal of a message of each kind that carries text for people, with this text.
std::vector<std::string> refusals_of(const std::string& text) {
  const std::string same(text.size(), 'x');  // encoding would clean the text itself
  std::vector<std::string> reasons;
  for (const Message& message : {Message(Reject{sample_task(), same}), Message(Goodbye{same}),
                                 Message(Decline{sample_task(), same}), Message(Hello{.kernel_set = same})}) {
    Bytes frame = encode_frame(message);
    std::ranges::copy(text, std::search(frame.begin(), frame.end(), same.begin(), same.end()));
    seal(frame);
    reasons.push_back(refusal(frame));
  }
  return reasons;
}

// Terminals obey escape sequences, and a line break forges a line of the journal.
TEST(Message, TextsForPeopleArePrintableAscii) {
  for (const std::string text : {"late", " ~", "of another run"})
    EXPECT_EQ(refusals_of(text), (std::vector<std::string>(4))) << text;
  for (const std::string text : {"late\n", "\x1b[2J....", "a\tb\rc", "\x7f...", "gr\xc3\xbc\xc3\x9f", "\xff..."})
    EXPECT_EQ(refusals_of(text), (std::vector<std::string>{"Reject has a reason that is not printable ASCII",
                                                           "Goodbye has a reason that is not printable ASCII",
                                                           "Decline has a reason that is not printable ASCII",
                                                           "Hello has a kernel set that is not printable ASCII"}))
        << text;
  EXPECT_EQ(refusal(encode_frame(Hello{.kernel_set = std::string(64, 'x')})), "");
  EXPECT_EQ(refusal(encode_frame(Hello{.kernel_set = std::string(65, 'x')})),
            "Hello has a kernel set of 65 bytes, allowed are 64");
}

TEST(Message, OurOwnReasonsAreSentClean) {
  for (const Message& message :
       {Message(Reject{sample_task(), "one\ntwo\x1b\xc3\xbc"}), Message(Goodbye{"one\ntwo\x1b\xc3\xbc"}),
        Message(Decline{sample_task(), "one\ntwo\x1b\xc3\xbc"})}) {
    Message received;
    ASSERT_EQ(decode_frame(encode_frame(message), kBodyLimit, received), "");
    const auto reason = [](const auto& kind) -> std::string {
      if constexpr (requires { kind.reason; }) return kind.reason;
      return "";
    };
    EXPECT_EQ(std::visit(reason, received), "one two???");
  }
}

TEST(Message, RandomBodiesNeverAllocateMoreThanTheyAre) {
  Stream random({.seed = 1, .purpose = Purpose::kTest});
  Message message;
  for (int trial = 0; trial < 50000; ++trial) {
    Bytes body(random.below(200));
    for (std::uint8_t& byte : body) byte = static_cast<std::uint8_t>(random.below(4) == 0 ? random.bits() : 0);
    if (!body.empty()) body[0] = 1;
    const Bytes frame = frame_of(static_cast<std::uint8_t>(1 + random.below(7)), body);
    AllocationWatch watch;
    static_cast<void>(decode_frame(frame, kBodyLimit, message));
    ASSERT_LT(watch.largest(), 1024U) << "trial " << trial;
  }
}

TEST(Message, MutatedMessagesDecodeOrAreRefused) {
  Stream random({.seed = 2, .purpose = Purpose::kTest});
  const std::vector<Message> kinds = one_of_each();
  int accepted = 0;
  for (int trial = 0; trial < 50000; ++trial) {
    Bytes frame = encode_frame(kinds[random.below(static_cast<std::uint32_t>(kinds.size()))]);
    const auto body_bytes = static_cast<std::uint32_t>(frame.size() - kFrameHeaderBytes);
    for (std::uint32_t i = 0; i < 1 + random.below(3); ++i)
      frame[kFrameHeaderBytes + random.below(body_bytes)] = static_cast<std::uint8_t>(random.bits());
    seal(frame);
    Message message;
    if (!decode_frame(frame, kBodyLimit, message).empty()) continue;
    ++accepted;
    ASSERT_EQ(encode_frame(message), frame) << "a body has two readings, trial " << trial;
  }
  EXPECT_GT(accepted, 1000);  // many fields take any value: those bodies must have been read to their end
}

}  // namespace
}  // namespace anybit
