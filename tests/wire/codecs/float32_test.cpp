#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "tests/wire/codecs/layouts.h"

namespace anybit {
namespace {

TEST(Float32Codec, WritesLittleEndianFloats) {
  const Layout layout = weight_and_bias(1);
  Bytes bytes;
  make_codec("float32")->encode(layout, std::vector<int>{0, 1}, std::vector<float>{1.0F, -2.5F, 0.0F}, {}, bytes);
  EXPECT_EQ(bytes, (Bytes{0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0, 0, 0, 0, 0}));
}

TEST(Float32Codec, EveryBitComesBack) {
  const Layout layout = weight_and_bias(4);
  const std::vector<float> values = {
      -0.0F, std::numeric_limits<float>::denorm_min(), std::numeric_limits<float>::max(), 0.1F, -1.5e-40F, 3.0F};
  Bytes bytes;
  const auto codec = make_codec("float32");
  codec->encode(layout, std::vector<int>{0, 1}, values, {}, bytes);
  std::vector<float> received(values.size());
  ASSERT_EQ(codec->decode(layout, std::vector<int>{0, 1}, bytes, received), "");
  EXPECT_EQ(std::memcmp(received.data(), values.data(), values.size() * sizeof(float)), 0);
}

}  // namespace
}  // namespace anybit
