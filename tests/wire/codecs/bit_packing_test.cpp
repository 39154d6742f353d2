#include "wire/codecs/bit_packing.h"

#include <gtest/gtest.h>

#include <vector>

#include "nn/random.h"
#include "wire/codec.h"

namespace anybit {
namespace {

/// The definition, bit by bit.
Bytes pack_plainly(const std::vector<std::uint16_t>& codes, int bits) {
  Bytes bytes((codes.size() * static_cast<std::size_t>(bits) + 7) / 8);
  for (std::size_t i = 0; i < codes.size(); ++i)
    for (int bit = 0; bit < bits; ++bit) {
      const std::size_t at = i * static_cast<std::size_t>(bits) + static_cast<std::size_t>(bit);
      if ((codes[i] >> bit & 1) != 0) bytes[at / 8] = static_cast<std::uint8_t>(bytes[at / 8] | 1U << at % 8);
    }
  return bytes;
}

std::vector<std::uint16_t> random_codes(std::size_t count, int bits) {
  Stream random({.seed = count, .purpose = Purpose::kTest, .layer = static_cast<std::uint32_t>(bits)});
  std::vector<std::uint16_t> codes(count);
  for (std::uint16_t& code : codes) code = static_cast<std::uint16_t>(random.below(1U << bits));
  return codes;
}

TEST(BitPacking, ThreeBitsByHand) {
  const std::vector<std::uint16_t> codes = {6, 1, 3, 0, 5};  // 101 000 011 001 110, last first
  Bytes bytes(2);
  pack(codes, 3, bytes.data());
  EXPECT_EQ(bytes, (Bytes{0xce, 0x50}));
}

TEST(BitPacking, EveryWidthAndLengthEqualsTheDefinitionAndComesBack) {
  for (int bits = 2; bits <= 16; ++bits)
    for (const std::size_t count : {0UL, 1UL, 2UL, 7UL, 8UL, 63UL, 64UL, 65UL, 127UL, 128UL, 200UL}) {
      const std::vector<std::uint16_t> codes = random_codes(count, bits);
      ASSERT_EQ(packed_bytes(count, bits), (count * static_cast<std::size_t>(bits) + 7) / 8);
      Bytes bytes(packed_bytes(count, bits));
      pack(codes, bits, bytes.data());
      EXPECT_EQ(bytes, pack_plainly(codes, bits)) << bits << " bits, " << count;
      std::vector<std::uint16_t> received(count);
      EXPECT_TRUE(unpack(bytes.data(), bits, received));
      EXPECT_EQ(received, codes) << bits << " bits, " << count;
    }
}

TEST(BitPacking, EverySetBitBehindTheLastCodeIsSeen) {
  for (int bits = 2; bits <= 16; ++bits)
    for (std::size_t count = 1; count <= 70; ++count) {
      Bytes bytes(packed_bytes(count, bits));
      pack(random_codes(count, bits), bits, bytes.data());
      std::vector<std::uint16_t> received(count);
      for (std::size_t bit = count * static_cast<std::size_t>(bits); bit < 8 * bytes.size(); ++bit) {
        Bytes changed = bytes;
        changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] | 1U << bit % 8);
        EXPECT_FALSE(unpack(changed.data(), bits, received)) << bits << " bits, " << count << " bit " << bit;
      }
    }
}

}  // namespace
}  // namespace anybit
