// Updates of many blocks, which threads share: the same bits as from one whole decoding and one plain sum.
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

#include "nn/random.h"
#include "server/aggregate.h"
#include "tests/wire/allocations.h"
#include "tests/wire/kept_bytes.h"

namespace anybit {
namespace {

constexpr std::uint32_t kCohort = 3;
constexpr int kWeights = 300001;  // several blocks and an odd rest, and enough for four threads

struct LargeUpdates {
  std::shared_ptr<const Layout> layout = std::make_shared<const Layout>(
      std::vector<TensorSpec>{{.name = "w", .shape = {kWeights}},
                              {.name = "b", .shape = {5}, .role = Role::kBias},
                              {.name = "top", .shape = {9001}, .role = Role::kStatistic, .merge = Merge::kMax},
                              {.name = "v", .shape = {2 * 4096}},
                              {.name = "count", .shape = {4096}, .role = Role::kStatistic, .merge = Merge::kSum}});
  std::unique_ptr<Codec> codec;

  explicit LargeUpdates(const std::string& name, std::int64_t bits = 0) {
    Options options("federation.uplink");
    if (bits > 0) options.set("bits", bits);
    codec = codecs().make({name, options, {}});
  }

  RoundSum sum(int threads) const { return {layout, {0, 1, 2, 3, 4}, codec.get(), kCohort, threads}; }

  static std::vector<int> tensors() { return {0, 2, 3, 4, 1}; }

  /// "b" was trained in half of the steps.
  UpdateMessage update(std::uint32_t client) const {
    std::vector<float> values(layout->size());
    Stream({.purpose = Purpose::kTest, .client = client}).fill_uniform(values, -0.5F, 0.25F);
    return {.id = {},
            .layout = layout->digest(),
            .examples = 10 + client,
            .steps = 4,
            .tensors = {0, 2, 3, 4},
            .shares = {{1, 2}},
            .loss = 1.0,
            .delta = encode(values)};
  }

  std::span<const std::uint8_t> encode(std::span<const float> values) const {
    Bytes bytes;
    codec->encode(*layout, tensors(), values, {}, bytes);
    return keep(bytes);
  }
};

/// What DESIGN D7 says, without blocks.
std::vector<float> plain_mean(const LargeUpdates& updates) {
  const Layout& layout = *updates.layout;
  ExactSum sum(layout.size());
  std::vector<ExactScalar> denominators(layout.tensors().size());
  std::vector<float> closed(layout.size(), -std::numeric_limits<float>::infinity());
  for (std::uint32_t client = 0; client < kCohort; ++client) {
    const UpdateMessage update = updates.update(client);
    std::vector<float> values(layout.size());
    EXPECT_EQ(updates.codec->decode(layout, LargeUpdates::tensors(), update.delta, values), "");
    for (std::size_t t = 0; t < layout.tensors().size(); ++t) {
      const TensorSpec& tensor = layout.tensors()[t];
      const double weight = update.examples * (tensor.name == "b" ? 0.5 : 1.0);
      denominators[t].add(weight);
      sum.add(tensor.offset, std::span<const float>(values).subspan(tensor.offset, tensor.size),
              tensor.merge == Merge::kSum ? 1.0 : weight);
    }
    for (std::size_t i = 0; i < values.size(); ++i) closed[i] = std::max(closed[i], values[i]);
  }
  for (std::size_t t = 0; t < layout.tensors().size(); ++t) {
    const TensorSpec& tensor = layout.tensors()[t];
    if (tensor.merge == Merge::kMax) continue;
    const double denominator = tensor.merge == Merge::kSum ? 1.0 : denominators[t].value();
    sum.close(tensor.offset, denominator, std::span<float>(closed).subspan(tensor.offset, tensor.size));
  }
  return closed;
}

TEST(LargeAggregate, BlocksAndThreadsLeaveNoTraceInTheBits) {
  for (const LargeUpdates& updates :
       {LargeUpdates("float32"), LargeUpdates("uniform", 5), LargeUpdates("uniform", 8)}) {
    const std::vector<float> expected = plain_mean(updates);
    for (const int threads : {1, 2, 3}) {
      RoundSum sum = updates.sum(threads);
      for (std::uint32_t client = 0; client < kCohort; ++client) ASSERT_EQ(sum.add(updates.update(client)), "");
      const std::span<const float> closed = sum.close();
      ASSERT_EQ(closed.size(), expected.size());
      EXPECT_EQ(std::memcmp(closed.data(), expected.data(), closed.size_bytes()), 0) << threads << " threads";
    }
  }
}

TEST(LargeAggregate, OneBadValueAnywhereRefusesTheWholeUpdate) {
  const LargeUpdates updates("float32");
  const UpdateMessage good = updates.update(1);
  const std::vector<float> zeros(updates.layout->size(), 0.0F);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const auto spoilt = [&](std::initializer_list<std::pair<std::size_t, float>> places) {
    Bytes delta = bytes_of(good.delta);
    for (const auto& [value, with] : places) std::memcpy(delta.data() + 4 * value, &with, sizeof with);
    return delta;
  };
  for (const int threads : {1, 3}) {
    RoundSum sum = updates.sum(threads);
    const auto refuses = [&](const Bytes& delta, const std::string& reason) {
      UpdateMessage bad = good;
      bad.delta = delta;
      EXPECT_EQ(sum.add(bad), reason);
      EXPECT_EQ(sum.clients(), 0U);
    };
    constexpr std::size_t kEnd = kWeights;
    for (const std::size_t at : {std::size_t{0}, std::size_t{4095}, std::size_t{4096}, kEnd - 1}) {
      refuses(spoilt({{at, nan}}), "tensor w has a value that is not finite");
      refuses(spoilt({{at, 0x1p40F}}), "w: a weighted value is out of range");
    }
    refuses(spoilt({{kEnd, nan}}), "tensor top has a value that is not finite");
    refuses(spoilt({{kEnd + 9001 + 8191, -0x1p40F}}), "v: a weighted value is out of range");
    refuses(spoilt({{kEnd + 9001 + 8192, 0x1p42F}}), "count: a weighted value is out of range");
    refuses(spoilt({{0, 0x1p40F}, {kEnd + 100, nan}}), "tensor top has a value that is not finite");
    refuses(spoilt({{5, 0x1p40F}, {kEnd + 9001, 0x1p40F}}), "w: a weighted value is out of range");
    const std::span<const float> closed = sum.close();
    EXPECT_TRUE(std::equal(closed.begin(), closed.end(), zeros.begin())) << "something was added";
    EXPECT_EQ(sum.add(good), "");
  }
}

TEST(LargeAggregate, ABadCodeInTheLastBlockRefusesTheWholeUpdate) {
  const LargeUpdates updates("uniform", 5);
  UpdateMessage bad = updates.update(1);
  Bytes delta = bytes_of(bad.delta);
  const std::size_t weight_bytes = 4 + (5 * kWeights + 7) / 8;
  delta[weight_bytes - 1] = 0x80;  // 300001 * 5 bits leave three behind the last code
  bad.delta = delta;
  for (const int threads : {1, 3}) {
    RoundSum sum = updates.sum(threads);
    EXPECT_EQ(sum.add(bad), "tensor w has bits set behind its last code");
    EXPECT_EQ(sum.clients(), 0U);
  }
}

TEST(LargeAggregate, AllocatesNothingAfterTheFirst) {
  const LargeUpdates updates("float32");
  const std::vector<UpdateMessage> answers = {updates.update(0), updates.update(1), updates.update(2)};
  for (const int threads : {1, 2}) {
    RoundSum sum = updates.sum(threads);
    EXPECT_EQ(sum.add(answers[0]), "");
    sum.close();
    AllocationWatch watch;
    const bool added = sum.add(answers[1]).empty() && sum.add(answers[2]).empty();
    sum.close();
    EXPECT_EQ(watch.calls(), 0U) << threads << " threads";
    EXPECT_TRUE(added);
  }
}

}  // namespace
}  // namespace anybit
