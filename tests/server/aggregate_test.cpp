#include "server/aggregate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <stdexcept>

#include "nn/random.h"
#include "tests/wire/kept_bytes.h"

namespace anybit {
namespace {

// Tensors 0 "w" (2, mean), 1 "step" (1, log-mean), 2 "top" (2, max), 3 "count" (1, sum), 4 "mine" (1, local).
std::shared_ptr<const Layout> make_layout() {
  return std::make_shared<const Layout>(
      std::vector<TensorSpec>{{.name = "w", .shape = {2}},
                              {.name = "step", .shape = {1}, .role = Role::kQuantizer, .merge = Merge::kLogMean},
                              {.name = "top", .shape = {2}, .role = Role::kStatistic, .merge = Merge::kMax},
                              {.name = "count", .shape = {1}, .role = Role::kStatistic, .merge = Merge::kSum},
                              {.name = "mine", .shape = {1}, .role = Role::kStatistic, .merge = Merge::kLocal}});
}

struct Aggregate : testing::Test {
  std::shared_ptr<const Layout> layout = make_layout();
  std::unique_ptr<Codec> codec = codecs().make({"float32", Options(), {}});
  RoundSum sum{layout, {0, 1, 2, 3}, codec.get(), 4};

  UpdateMessage update(std::uint32_t examples, std::vector<std::uint32_t> tensors, std::vector<TensorShare> shares,
                       const std::vector<float>& values) const {
    UpdateMessage made{.id = {},
                       .layout = layout->digest(),
                       .examples = examples,
                       .steps = 10,
                       .tensors = tensors,
                       .shares = shares,
                       .loss = 1.0,
                       .delta = {}};
    std::vector<int> listed(tensors.begin(), tensors.end());
    for (const TensorShare& share : shares) listed.push_back(static_cast<int>(share.tensor));
    Bytes delta;
    codec->encode(*layout, listed, values, {}, delta);
    made.delta = keep(delta);
    return made;
  }

  std::vector<float> close() {
    const std::span<const float> change = sum.close();
    return {change.begin(), change.end()};
  }
};

TEST_F(Aggregate, WeighsByExamplesAndByStepsThatTrained) {
  // Specs D: (0.1, -0.2) with 3 examples and (-0.3, 0.4) with 1 have mean (0, -0.05). The step of 3 examples was
  // trained in 5 of 10 steps, that of 1 in all: (1.5 * 2 + 1 * 7) / 2.5 = 4.
  EXPECT_EQ(sum.add(update(3, {0}, {{1, 5}}, {0.1F, -0.2F, 2.0F, 0, 0, 0, 0})), "");
  EXPECT_EQ(sum.add(update(1, {0}, {{1, 10}}, {-0.3F, 0.4F, 7.0F, 0, 0, 0, 0})), "");
  const std::vector<float> change = close();
  EXPECT_NEAR(change[0], 0.0F, 1e-8F);
  EXPECT_NEAR(change[1], -0.05F, 1e-8F);
  EXPECT_EQ(change[2], 4.0F);
}

TEST_F(Aggregate, KeepsADenominatorPerTensor) {
  // Nobody trained "step"; only the second client names "w".
  EXPECT_EQ(sum.add(update(3, {3}, {}, {9, 9, 9, 9, 9, 1, 9})), "");
  EXPECT_EQ(sum.add(update(1, {0, 3}, {}, {2, 4, 9, 9, 9, 1, 9})), "");
  EXPECT_EQ(close(), (std::vector<float>{2, 4, 0, 0, 0, 2, 0}));
  EXPECT_EQ(sum.clients(), 2U);
}

TEST_F(Aggregate, KeepsAValueWhoseDivisorsAreTooSmallToBeSummed) {
  const Contribution nearly_nothing{.weight = 0x1p-70, .divisor = 0x1p-70};
  EXPECT_EQ(sum.add(update(1, {0, 2}, {}, {2, 4, 0, 3, 5, 0, 0}), nearly_nothing), "");
  EXPECT_EQ(close(), (std::vector<float>{0, 0, 0, 3, 5, 0, 0})) << "a maximum is not divided";
}

TEST_F(Aggregate, JoinsMaximaAndSumsWithoutWeights) {
  EXPECT_EQ(sum.add(update(100, {2, 3}, {}, {0, 0, 0, -3, 1, 5, 0})), "");
  EXPECT_EQ(sum.add(update(1, {2, 3}, {}, {0, 0, 0, -2, 0.5F, 7, 0})), "");
  EXPECT_EQ(close(), (std::vector<float>{0, 0, 0, -2, 1, 12, 0}));
}

TEST_F(Aggregate, MeansTheTrainingLossByExamples) {
  EXPECT_EQ(sum.train_loss(), 0.0);
  UpdateMessage first = update(3, {0}, {}, std::vector<float>(7));
  UpdateMessage second = update(1, {0}, {}, std::vector<float>(7));
  first.loss = 2.0;
  second.loss = 4.0;
  sum.add(first);
  sum.add(second);
  EXPECT_EQ(sum.train_loss(), 2.5);
  sum.clear();
  EXPECT_EQ(sum.train_loss(), 0.0);
  EXPECT_EQ(close(), std::vector<float>(7, 0.0F));
}

TEST_F(Aggregate, DoesNotDependOnTheOrder) {
  Stream stream({.seed = 1, .purpose = Purpose::kTest});
  std::vector<UpdateMessage> updates;
  for (std::uint32_t i = 0; i < 4; ++i) {
    std::vector<float> values(7);
    for (float& value : values) value = static_cast<float>(stream.normal());
    values[3] = i % 2 == 0 ? -0.0F : 0.0F;
    updates.push_back(update(1 + 7 * i, {0, 2, 3}, {{1, 1 + i}}, values));
    updates.back().loss = stream.uniform();
  }
  std::vector<float> expected;
  double loss = 0;
  for (int trial = 0; trial < 24; ++trial) {
    sum.clear();
    for (const UpdateMessage& one : updates) ASSERT_EQ(sum.add(one), "");
    const std::vector<float> change = close();
    if (trial == 0) expected = change;
    if (trial == 0) loss = sum.train_loss();
    ASSERT_EQ(std::memcmp(change.data(), expected.data(), 7 * sizeof(float)), 0);
    ASSERT_EQ(sum.train_loss(), loss);
    stream.shuffle(std::span(updates));
  }
}

TEST_F(Aggregate, RefusesABadUpdateWholeAndSaysWhy) {
  const std::vector<float> zeros(7, 0.0F);
  const auto expect = [&](const std::string& reason, const std::function<void(UpdateMessage&)>& spoil) {
    UpdateMessage bad = update(2, {0}, {{1, 5}}, {1, 1, 1, 0, 0, 0, 0});
    spoil(bad);
    EXPECT_EQ(sum.add(bad), reason);
    EXPECT_EQ(sum.clients(), 0U);
    EXPECT_EQ(close(), zeros) << reason;
  };
  expect("layout of another network", [](UpdateMessage& u) { ++u.layout; });
  expect("no examples", [](UpdateMessage& u) { u.examples = 0; });
  expect("no steps", [](UpdateMessage& u) { u.steps = 0; });
  expect("names no tensor", [](UpdateMessage& u) { u.tensors = {}, u.shares = {}, u.delta = {}; });
  expect("tensors are not in ascending order", [](UpdateMessage& u) { u.tensors = {2, 0}; });
  expect("tensors are not in ascending order", [](UpdateMessage& u) { u.tensors = {0, 0}; });
  expect("names a tensor twice", [](UpdateMessage& u) { u.tensors = {0, 1}; });
  expect("names a tensor that is not uploaded", [](UpdateMessage& u) { u.tensors = {4}; });
  expect("names a tensor that is not uploaded", [](UpdateMessage& u) { u.tensors = {0xffffffffU}; });
  expect("a tensor's steps are not within the steps taken", [](UpdateMessage& u) { u.shares[0].steps = 11; });
  expect("a tensor's steps are not within the steps taken", [](UpdateMessage& u) { u.shares[0].steps = 0; });
  expect("loss: a value is not finite", [](UpdateMessage& u) { u.loss = std::numeric_limits<double>::quiet_NaN(); });
  expect("loss: a weighted value is out of range", [](UpdateMessage& u) { u.loss = 1e300; });
  const auto put = [](std::size_t at, float value) {
    return [at, value](UpdateMessage& u) {
      Bytes delta = bytes_of(u.delta);
      std::memcpy(delta.data() + 4 * at, &value, 4);
      u.delta = keep(delta);
    };
  };
  expect("w: a weighted value is out of range", put(0, 0x1p40F));
  expect("step: a weighted value is out of range", put(2, -0x1p41F));
  UpdateMessage nan = update(2, {0}, {}, {1, std::numeric_limits<float>::quiet_NaN(), 0, 0, 0, 0, 0});
  EXPECT_NE(sum.add(nan), "");
  UpdateMessage cut = update(2, {0}, {}, zeros);
  cut.delta = cut.delta.first(cut.delta.size() - 1);
  EXPECT_NE(sum.add(cut), "");
  EXPECT_EQ(sum.clients(), 0U);
  EXPECT_EQ(close(), zeros);
}

TEST_F(Aggregate, RefusesMoreUpdatesThanTheCohort) {
  for (int i = 0; i < 4; ++i) EXPECT_EQ(sum.add(update(1, {0}, {}, std::vector<float>(7))), "");
  EXPECT_EQ(sum.add(update(1, {0}, {}, std::vector<float>(7))), "the round is full");
}

TEST_F(Aggregate, RefusesAPlanThatUploadsWhatIsNotMerged) {
  EXPECT_THROW(RoundSum(layout, {0, 4}, codec.get(), 4), std::invalid_argument);
}

}  // namespace
}  // namespace anybit
