#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "nn/random.h"
#include "tests/wire/codecs/layouts.h"

namespace anybit {
namespace {

const std::vector<int> kWeight = {0};

Bytes encode_weight(const Codec& codec, const Layout& layout, std::span<const float> values,
                    const DrawName& draw = {}) {
  Bytes bytes;
  codec.encode(layout, kWeight, values, draw, bytes);
  return bytes;
}

std::vector<float> pass(const Codec& codec, const Layout& layout, std::span<const float> values,
                        const DrawName& draw = {}) {
  std::vector<float> received(values.begin(), values.end());
  EXPECT_EQ(codec.decode(layout, kWeight, encode_weight(codec, layout, values, draw), received), "");
  return received;
}

TEST(UniformCodec, ThreeBitsByHand) {
  const Layout layout = weight_and_bias(5);
  const std::vector<float> values = {3, -1.5F, 0.5F, -3, 2.5F, 10, 11};  // scale 1, codes 6 1 3 0 5
  Bytes bytes;
  make_uniform(3)->encode(layout, std::vector<int>{0, 1}, values, {}, bytes);
  EXPECT_EQ(bytes, (Bytes{0, 0, 0x80, 0x3f, 0xce, 0x50, 0, 0, 0x20, 0x41, 0, 0, 0x30, 0x41}));
  EXPECT_EQ(pass(*make_uniform(3), layout, values), (std::vector<float>{3, -2, 0, -3, 2, 10, 11}));
}

TEST(UniformCodec, SizeIsTheCodesAndAScale) {
  const std::vector<float> values(1003, 0.25F);
  const Layout layout = weight_and_bias(1001);
  for (int bits = 2; bits <= 16; ++bits) {
    const std::size_t expected = 4 + (1001 * static_cast<std::size_t>(bits) + 7) / 8;
    EXPECT_EQ(encode_weight(*make_uniform(bits, "stochastic"), layout, values).size(), expected) << bits;
  }
}

TEST(UniformCodec, ErrorIsBelowAStepAndHalfOfItForHalfEven) {
  const Layout layout = weight_and_bias(9000);  // more than two chunks
  std::vector<float> values(layout.size());
  Stream({.purpose = Purpose::kTest}).fill_uniform(values, -2, 2);
  values[8999] = -2;
  for (int bits = 2; bits <= 16; ++bits) {
    const float step = 2.0F / static_cast<float>((1 << (bits - 1)) - 1);
    const std::vector<float> rounded = pass(*make_uniform(bits), layout, values);
    const std::vector<float> drawn = pass(*make_uniform(bits, "stochastic"), layout, values);
    for (std::size_t i = 0; i < 9000; ++i) {
      ASSERT_LE(std::abs(rounded[i] - values[i]), 0.5001F * step) << bits;
      ASSERT_LE(std::abs(drawn[i] - values[i]), 1.0001F * step) << bits;
    }
  }
}

// Each mean is of n draws of variance f (1 - f) step^2: both sides of the equations are known exactly.
TEST(UniformCodec, StochasticRoundingIsUnbiased) {
  const Layout layout = weight_and_bias(6);
  const std::vector<float> values = {1.0F, -0.3F, 0.01F, 0.5F, -0.99F, 0.0F, 0, 0};
  constexpr int kDraws = 20000;
  for (const int bits : {2, 4, 8}) {
    const double step = 1.0 / ((1 << (bits - 1)) - 1);
    const auto codec = make_uniform(bits, "stochastic");
    std::vector<double> sum(6);
    std::vector<double> squares(6);
    for (std::uint32_t round = 0; round < kDraws; ++round) {
      const std::vector<float> received = pass(*codec, layout, values, {.seed = 5, .round = round});
      for (std::size_t i = 0; i < 6; ++i) {
        const double error = static_cast<double>(received[i]) - static_cast<double>(values[i]);
        sum[i] += error;
        squares[i] += error * error;
      }
    }
    for (std::size_t i = 0; i < 6; ++i) {
      const double quotient = static_cast<double>(values[i]) / step;
      const double fraction = quotient - std::floor(quotient);
      const double variance = fraction * (1 - fraction) * step * step;
      EXPECT_NEAR(sum[i] / kDraws, 0, 4.5 * std::sqrt(variance / kDraws) + 1e-6 * step) << bits << " bits, value " << i;
      EXPECT_NEAR(squares[i] / kDraws, variance, 0.05 * step * step) << bits << " bits, value " << i;
    }
  }
}

TEST(UniformCodec, EveryPartOfTheDrawsNameCounts) {
  const Layout layout({{.name = "v", .shape = {300}}, {.name = "w", .shape = {300}}});
  std::vector<float> values(600, 0.3F);
  values[0] = values[300] = 1;
  const auto codec = make_uniform(4, "stochastic");
  const auto code = [&](DrawName draw, int tensor) {
    Bytes bytes;
    codec->encode(layout, std::vector<int>{tensor}, values, draw, bytes);
    return bytes;
  };
  const DrawName name = {.seed = 1, .round = 2, .client = 3, .step = 4};
  EXPECT_EQ(code(name, 0), code(name, 0));
  EXPECT_NE(code(name, 0), code(name, 1));
  for (const DrawName& other : {DrawName{.seed = 9, .round = 2, .client = 3, .step = 4},
                                DrawName{.seed = 1, .round = 9, .client = 3, .step = 4},
                                DrawName{.seed = 1, .round = 2, .client = 9, .step = 4},
                                DrawName{.seed = 1, .round = 2, .client = 3, .step = 9}})
    EXPECT_NE(code(name, 0), code(other, 0));
}

TEST(UniformCodec, ChunksOfATensorDoNotShareDraws) {
  const Layout layout = weight_and_bias(8192);
  std::vector<float> values(layout.size(), 0.3F);
  const std::vector<float> received = pass(*make_uniform(2, "stochastic"), layout, values);
  std::vector<float> wide(layout.size(), 0.3F);
  wide[0] = wide[4096] = 1;
  const std::vector<float> drawn = pass(*make_uniform(2, "stochastic"), layout, wide);
  EXPECT_FALSE(std::equal(drawn.begin(), drawn.begin() + 4096, drawn.begin() + 4096));
  EXPECT_EQ(received[0], 0.3F);  // a constant tensor is exact at any width
}

TEST(UniformCodec, SmallAndZeroTensorsStayFinite) {
  const Layout layout = weight_and_bias(3);
  const float tiny = std::numeric_limits<float>::denorm_min();
  for (const int bits : {2, 8, 16}) {
    const std::vector<float> zeros = {0, -0.0F, 0, 0, 0};
    EXPECT_EQ(pass(*make_uniform(bits, "stochastic"), layout, zeros), zeros);
    for (const float value : pass(*make_uniform(bits, "stochastic"), layout, std::vector<float>{tiny, -tiny, 0, 0, 0}))
      EXPECT_LE(std::abs(value), std::numeric_limits<float>::min());
  }
}

std::string decode_three(float scale, std::uint16_t codes, int bits = 5) {
  Bytes bytes(6);
  std::memcpy(bytes.data(), &scale, 4);
  std::memcpy(bytes.data() + 4, &codes, 2);
  std::vector<float> values(5);
  return make_uniform(bits)->decode(weight_and_bias(3), kWeight, bytes, values);
}

TEST(UniformCodec, HostileScalesAndCodesAreRefused) {
  const std::string scale = "tensor w has a scale that is not finite, positive and in range";
  EXPECT_EQ(decode_three(1.0F, 0), "");
  EXPECT_EQ(decode_three(std::numeric_limits<float>::quiet_NaN(), 0), scale);
  EXPECT_EQ(decode_three(std::numeric_limits<float>::infinity(), 0), scale);
  EXPECT_EQ(decode_three(-1.0F, 0), scale);
  EXPECT_EQ(decode_three(0.0F, 0), scale);
  EXPECT_EQ(decode_three(1e-40F, 0), scale);
  EXPECT_EQ(decode_three(1e38F, 0), scale);  // 15 * 1e38 has no float
  EXPECT_EQ(decode_three(1.0F, 30), "");
  EXPECT_EQ(decode_three(1.0F, 31), "tensor w has a code above 30");
  EXPECT_EQ(decode_three(1.0F, 31 << 10), "tensor w has a code above 30");
  EXPECT_EQ(decode_three(1.0F, 1 << 15), "tensor w has bits set behind its last code");
}

TEST(UniformCodec, WrongOptionsAreRefusedAtTheirPlace) {
  for (const std::int64_t bits : {-8, 0, 1, 17, 32}) EXPECT_THROW(make_uniform(bits), ScenarioError) << bits;
  EXPECT_THROW(make_uniform(8, "up"), ScenarioError);
}

}  // namespace
}  // namespace anybit
