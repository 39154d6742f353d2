#include "data/examples.h"

#include <gtest/gtest.h>

#include <vector>

namespace anybit {
namespace {

TEST(Gather, NormalisesGreyAndLeavesTheRestAlone) {
  const ExamplePool pool = {{1, 2, 1}, {0, 255, 51, 102, 204, 153}, {7, 8, 9}, {2, 0}};
  const Normalization normalization = {{0.5F}, {0.25F, 1.0F, 1.0F}};
  std::vector<float> images(6, -9.0F);
  std::vector<std::uint8_t> labels(3, 77);
  const std::vector<std::uint32_t> picks = {1, 0};
  const Batch batch = gather(pool.view(), picks, normalization, images, labels);

  ASSERT_EQ(batch.live(), 2);
  EXPECT_EQ(batch.labels[0], 7);  // pick 1 is index 0
  EXPECT_EQ(batch.labels[1], 9);
  EXPECT_EQ(labels[2], 77);
  const std::vector<float> expected = {-2.0F, 2.0F, 1.2F, 0.4F, -9.0F, -9.0F};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(images[i], expected[i], 1e-6F) << i;
  EXPECT_EQ(batch.images.data(), images.data());
}

TEST(Gather, NormalisesEachColourByItsOwn) {
  const ExamplePool pool = {{1, 2, 3}, {0, 255, 51, 255, 0, 102}, {4}, {0}};
  const Normalization normalization = {{0.0F, 0.5F, 0.2F}, {1.0F, 0.5F, 0.1F}};
  std::vector<float> images(6);
  std::vector<std::uint8_t> labels(1);
  gather(pool.view(), std::vector<std::uint32_t>{0}, normalization, images, labels);
  const std::vector<float> expected = {0.0F, 1.0F, 0.0F, 1.0F, -1.0F, 2.0F};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(images[i], expected[i], 1e-6F) << i;
}

// 256 bytes are five whole patterns of the kernel and a rest.
TEST(Gather, EveryByteIsTheFormula) {
  ExamplePool pool = {{16, 16, 1}, {}, {0}, {0}};
  for (int byte = 0; byte < 256; ++byte) pool.pixels.push_back(static_cast<std::uint8_t>(byte));
  const Normalization normalization = {{0.2860F}, {0.3530F, 1.0F, 1.0F}};
  std::vector<float> images(256);
  std::vector<std::uint8_t> labels(1);
  gather(pool.view(), std::vector<std::uint32_t>{0}, normalization, images, labels);
  for (int byte = 0; byte < 256; ++byte)
    EXPECT_NEAR(images[static_cast<std::size_t>(byte)], (byte / 255.0 - 0.2860) / 0.3530, 3e-7) << byte;
}

}  // namespace
}  // namespace anybit
