#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "nn/random.h"
#include "tests/wire/allocations.h"
#include "tests/wire/codecs/layouts.h"

namespace anybit {
namespace {

const std::vector<int> kBoth = {0, 1};

/// Every row with its defaults and with each option's alternative.
std::vector<std::pair<std::string, std::unique_ptr<Codec>>> all_codecs() {
  std::vector<std::pair<std::string, std::unique_ptr<Codec>>> made;
  for (const CodecTable::Row& row : codecs().rows()) {
    made.emplace_back(row.info.name, make_codec(row.info.name));
    for (const OptionRow& option : row.info.options)
      made.emplace_back(row.info.name + " " + option.name,
                        make_codec(row.info.name, {{option.name, option.alternative}}));
  }
  return made;
}

Bytes encode_both(const Codec& codec, const Layout& layout, const std::vector<float>& values) {
  Bytes bytes;
  codec.encode(layout, kBoth, values, {}, bytes);
  return bytes;
}

TEST(Codecs, TableKnowsFloat32AndUniform) {
  std::vector<std::string> names;
  for (const RowInfo& info : codecs().infos()) names.push_back(info.name);
  EXPECT_EQ(names, (std::vector<std::string>{"float32", "uniform"}));
}

TEST(Codecs, EncodeAppends) {
  const Layout layout = weight_and_bias(3);
  for (const auto& [name, codec] : all_codecs()) {
    Bytes bytes = {1, 2};
    codec->encode(layout, kBoth, std::vector<float>{1, -2, 0, 5, 6}, {}, bytes);
    Bytes alone = encode_both(*codec, layout, {1, -2, 0, 5, 6});
    alone.insert(alone.begin(), {1, 2});
    EXPECT_EQ(bytes, alone) << name;
  }
}

TEST(Codecs, OnlyListedTensorsAreTouched) {
  const Layout layout = weight_and_bias(3);
  for (const auto& [name, codec] : all_codecs()) {
    Bytes bytes;
    codec->encode(layout, std::vector<int>{1}, std::vector<float>{1, 2, 3, 5, 6}, {}, bytes);
    std::vector<float> received = {7, 7, 7, 7, 7};
    ASSERT_EQ(codec->decode(layout, std::vector<int>{1}, bytes, received), "") << name;
    EXPECT_EQ(received, (std::vector<float>{7, 7, 7, 5, 6})) << name;
  }
}

TEST(Codecs, OptionsReachTheBytes) {
  const Layout layout = weight_and_bias(200);
  std::vector<float> values(layout.size());
  Stream({.purpose = Purpose::kTest}).fill_uniform(values, -1, 1);
  const auto made = all_codecs();
  for (std::size_t i = 0; i < made.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_NE(encode_both(*made[i].second, layout, values), encode_both(*made[j].second, layout, values))
          << made[i].first << " and " << made[j].first;
}

TEST(Codecs, BlocksInAnyOrderAreTheWhole) {
  const Layout layout = weight_and_bias(3 * 4096 + 77);
  std::vector<float> values(layout.size());
  Stream({.purpose = Purpose::kTest}).fill_uniform(values, -1, 1);
  for (const auto& [name, codec] : all_codecs()) {
    const Bytes bytes = encode_both(*codec, layout, values);
    std::vector<float> whole(layout.size());
    ASSERT_EQ(codec->decode(layout, kBoth, bytes, whole), "") << name;
    const TensorSpec& weight = layout.tensors()[0];
    const auto code = std::span(bytes).first(codec->code_bytes(weight));
    EXPECT_EQ(code.size() + codec->code_bytes(layout.tensors()[1]), bytes.size());
    for (const std::size_t first : {3 * 4096UL, 4096UL, 0UL, 2 * 4096UL}) {
      std::vector<float> block(std::min(Codec::kBlock, weight.size - first));
      ASSERT_EQ(codec->decode_block(weight, code, first, block), "") << name;
      EXPECT_TRUE(std::equal(block.begin(), block.end(), whole.begin() + static_cast<std::ptrdiff_t>(first))) << name;
    }
  }
}

TEST(Codecs, EveryWrongSizeIsRefused) {
  const Layout layout = weight_and_bias(3);
  for (const auto& [name, codec] : all_codecs()) {
    Bytes bytes = encode_both(*codec, layout, {1, -2, 0, 5, 6});
    std::vector<float> received(layout.size());
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_NE(codec->decode(layout, kBoth, std::span(bytes).first(size), received), "") << name << " at " << size;
    bytes.push_back(0);
    EXPECT_NE(codec->decode(layout, kBoth, bytes, received), "") << name;
  }
}

TEST(Codecs, ValuesThatAreNotFiniteAreRefusedWhereverTheyStand) {
  const Layout layout = weight_and_bias(3);
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()})
    for (std::size_t at = 0; at < layout.size(); ++at)
      for (const auto& [name, codec] : all_codecs()) {
        std::vector<float> values = {1, -2, 0, 5, 6};
        values[at] = bad;
        const std::string reason = codec->decode(layout, kBoth, encode_both(*codec, layout, values), values);
        EXPECT_NE(reason.find(at < 3 ? "tensor w has a" : "tensor b has a"), std::string::npos) << name << reason;
      }
}

TEST(Codecs, TensorsAndBuffersOfAnotherLayoutAreRefused) {
  const Layout layout = weight_and_bias(3);
  for (const auto& [name, codec] : all_codecs()) {
    std::vector<float> received(layout.size());
    EXPECT_EQ(codec->decode(layout, std::vector<int>{2}, Bytes(8), received), "tensor 2 of 2") << name;
    EXPECT_EQ(codec->decode(layout, std::vector<int>{-1}, Bytes(8), received), "tensor -1 of 2") << name;
    received.pop_back();
    EXPECT_EQ(codec->decode(layout, std::vector<int>{1}, Bytes(8), received), "buffer of 4 values for a layout of 5");
  }
}

TEST(Codecs, RandomBytesGiveFiniteValuesOrARefusal) {
  const Layout layout = weight_and_bias(5);
  Stream random({.seed = 3, .purpose = Purpose::kTest});
  for (const auto& [name, codec] : all_codecs()) {
    const std::size_t size = encode_both(*codec, layout, std::vector<float>(7, 1.0F)).size();
    for (int trial = 0; trial < 5000; ++trial) {
      Bytes bytes(size);
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random.bits());
      std::vector<float> received(layout.size());
      if (!codec->decode(layout, kBoth, bytes, received).empty()) continue;
      for (const float value : received) ASSERT_TRUE(std::isfinite(value)) << name;
    }
  }
}

TEST(Codecs, AllocateNothingOnceTheBufferIsWarm) {
  const Layout layout = weight_and_bias(10000);
  std::vector<float> values(layout.size(), 0.5F);
  for (const auto& [name, codec] : all_codecs()) {
    Bytes bytes = encode_both(*codec, layout, values);
    bytes.clear();
    AllocationWatch watch;
    codec->encode(layout, kBoth, values, {}, bytes);
    const std::string reason = codec->decode(layout, kBoth, bytes, values);
    EXPECT_EQ(watch.calls(), 0U) << name;
    EXPECT_EQ(reason, "") << name;
  }
}

}  // namespace
}  // namespace anybit
