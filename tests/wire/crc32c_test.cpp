#include "wire/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>

#include "nn/random.h"
#include "wire/message.h"

namespace anybit {
namespace {

Bytes counting(std::size_t size) {
  Bytes bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

// RFC 3720, B.4, and the check value of the polynomial.
TEST(Crc32c, PublishedVectors) {
  const Bytes digits = {'1', '2', '3', '4', '5', '6', '7', '8', '9'};
  EXPECT_EQ(crc32c(digits), 0xe3069283U);
  EXPECT_EQ(crc32c(Bytes(32, 0)), 0x8a9136aaU);
  EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62a8ab43U);
  EXPECT_EQ(crc32c(counting(32)), 0x46dd794eU);
  EXPECT_EQ(crc32c({}), 0U);
}

// 0xbd846cd7 was computed bit by bit in Python.
TEST(Crc32c, LongInputRunsThroughAllLanes) { EXPECT_EQ(crc32c(counting(10240)), 0xbd846cd7U); }

TEST(Crc32c, FastEqualsPortableAtEveryLengthAroundTheLanes) {
  Bytes bytes = counting(4 * 6144 + 32);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(bytes[i] * 131 + i / 256);
  for (const std::size_t base : {0UL, 6144UL, 2 * 6144UL, 4 * 6144UL})
    for (std::size_t more = 0; more < 20; ++more) {
      const std::span<const std::uint8_t> part = std::span(bytes).subspan(more % 5, base + more);
      EXPECT_EQ(crc32c(part, 77), crc32c_portable(part, 77)) << base + more;
    }
}

TEST(Crc32c, SeedContinues) {
  const Bytes bytes = counting(9000);
  const std::span<const std::uint8_t> all(bytes);
  for (const std::size_t cut : {0UL, 1UL, 8UL, 6143UL, 9000UL})
    EXPECT_EQ(crc32c(all.subspan(cut), crc32c(all.first(cut))), crc32c(all)) << cut;
}

TEST(Crc32c, CombinesWithoutReadingAgain) {
  Stream random({.purpose = Purpose::kTest});
  Bytes bytes(70001);
  for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.bits());
  const std::span<const std::uint8_t> all(bytes);
  for (int trial = 0; trial < 300; ++trial) {
    const std::size_t begin = random.below(100);
    const std::span<const std::uint8_t> whole = all.subspan(begin, random.below(trial % 2 == 0 ? 69900 : 40));
    const std::size_t cut = random.below(static_cast<std::uint32_t>(whole.size()) + 1);
    EXPECT_EQ(crc32c_combine(crc32c(whole.first(cut)), crc32c(whole.subspan(cut)), whole.size() - cut), crc32c(whole))
        << whole.size() << " cut at " << cut;
  }
}

// The published values above, and lengths beyond 32 bits.
TEST(Crc32c, CombinesAcrossAnyLength) {
  EXPECT_EQ(crc32c_combine(0xe3069283U, 0U, 0), 0xe3069283U);
  EXPECT_EQ(crc32c_combine(0U, 0x8a9136aaU, 32), 0x8a9136aaU);
  EXPECT_EQ(crc32c_combine(0x8a9136aaU, 0x8a9136aaU, 32), crc32c(Bytes(64, 0)));
  // 2^31 - 1 bits' worth of zeros are the identity (the polynomial is x + 1 times a primitive one of degree 31).
  constexpr std::uint64_t kPeriod = 0x7fffffffU;
  EXPECT_EQ(crc32c_combine(0xe3069283U, 0U, kPeriod), 0xe3069283U);
  EXPECT_EQ(crc32c_combine(0xe3069283U, 5U, (kPeriod << 20) + 32), crc32c_combine(0xe3069283U, 5U, 32));
}

}  // namespace
}  // namespace anybit
