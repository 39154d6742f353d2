#include "wire/crc32c.h"

#include <gtest/gtest.h>

#include <numeric>

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

}  // namespace
}  // namespace anybit
