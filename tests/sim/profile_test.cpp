#include "sim/profile.h"

#include <gtest/gtest.h>

#include "tests/server/tiny_scenario.h"

namespace anybit {
namespace {

constexpr double kShortly = 0.02;

TEST(Profile, CountsTheWorkOfEachLayer) {
  const Profile made = profile(tiny_federation(), kShortly);
  ASSERT_EQ(made.layers.size(), 2U);  // the ReLU is computed by the layer before it
  EXPECT_GT(made.batch, 4);           // clients differ in size, and their last batches are short
  EXPECT_LT(made.batch, 8);
  const LayerCost& first = made.layers[0];
  EXPECT_EQ(first.name, "dense1");
  EXPECT_DOUBLE_EQ(first.forward.flops, 2.0 * 784 * 16 * made.batch);
  EXPECT_DOUBLE_EQ(first.backward.flops, first.forward.flops);  // nobody wants the image's gradient
  EXPECT_DOUBLE_EQ(first.forward.bytes, 4 * ((784 + 16) * made.batch + 784 * 16));
  const LayerCost& last = made.layers[1];
  EXPECT_EQ(last.name, "dense2");
  EXPECT_DOUBLE_EQ(last.forward.flops, 2.0 * 16 * 10 * made.batch);
  EXPECT_DOUBLE_EQ(last.backward.flops, 2 * last.forward.flops);
  EXPECT_DOUBLE_EQ(last.backward.bytes, 2 * last.forward.bytes);
}

TEST(Profile, AccountsForTheWholeStep) {
  const Profile made = profile(tiny_federation(), kShortly);
  EXPECT_GT(made.slots, 0);  // the tiny scenario trains with quantized weights and activations
  EXPECT_GT(made.loss, 0);
  EXPECT_GT(made.rest(), 0);
  EXPECT_NEAR(made.network().seconds + made.slots + made.loss + made.rest(), made.seconds, 1e-9);
  EXPECT_EQ(profile(tiny_federation({"training.method.name=fedavg"}), kShortly).slots, 0);
}

TEST(Profile, NoLayerIsFasterThanThePeak) {
  constexpr double kDoubt = 1.5;  // a neighbour may have had more of the core while the peak was measured
  const Profile made = profile(tiny_federation({"training.batch=20", "model.hidden=[512]"}), kShortly);
  for (const LayerCost& layer : made.layers) {
    EXPECT_LT(layer.forward.flops / layer.forward.seconds, kDoubt * made.peak) << layer.name;
    EXPECT_LT(layer.backward.flops / layer.backward.seconds, kDoubt * made.peak) << layer.name;
  }
}

}  // namespace
}  // namespace anybit
