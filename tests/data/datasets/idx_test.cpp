#include "data/datasets/idx.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "../files.h"

namespace anybit {
namespace {

std::string read_error(const Bytes& images, const Bytes& labels) {
  const Folder folder;
  const std::string images_path = folder.write("images", images), labels_path = folder.write("labels", labels);
  std::vector<std::string> checksums;
  return data_error([&] { read_idx(images_path, labels_path, 10, checksums); });
}

TEST(Idx, ReadsImagesAndLabels) {
  const Folder folder;
  std::vector<std::string> checksums;
  const ExamplePool pool = read_idx(folder.write("images.gz", gzipped(idx_images(2, 3, 2))),
                                    folder.write("labels", idx_labels({4, 9})), 10, checksums);
  EXPECT_EQ(pool.shape, (Shape{3, 2, 1}));
  EXPECT_EQ(pool.pixels, (Bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(pool.labels, (Bytes{4, 9}));
  EXPECT_EQ(pool.indices, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_EQ(checksums.size(), 2U);
}

TEST(Idx, WrongMagicNamesBoth) {
  const std::string error = read_error(idx_labels({1}), idx_labels({1}));
  EXPECT_TRUE(contains(error, "images: byte 0: ")) << error;
  EXPECT_TRUE(contains(error, "0x00000801, expected 0x00000803")) << error;
}

TEST(Idx, LabelOutOfRangeNamesItsPlace) {
  EXPECT_TRUE(
      contains(read_error(idx_images(3, 1, 1), idx_labels({1, 10, 2})), "labels: byte 9: label 10; expected 0"));
}

TEST(Idx, DifferentCountsAreRefused) {
  EXPECT_TRUE(contains(read_error(idx_images(3, 1, 1), idx_labels({1, 2})), "2 labels, but"));
}

TEST(Idx, EmptyAndShapelessFilesAreRefused) {
  EXPECT_TRUE(contains(read_error(idx_images(0, 2, 2), idx_labels({})), "holds no images"));
  EXPECT_TRUE(contains(read_error(idx_images(2, 0, 2), idx_labels({1, 2})), "0 x 2 pixels"));
  EXPECT_TRUE(contains(read_error({}, {}), "ends inside the magic number: 0 of 4") ||
              contains(read_error({}, {}), "cannot hold"));
}

TEST(Idx, TrailingBytesAndTruncationAreRefused) {
  Bytes longer = idx_images(2, 2, 2);
  longer.push_back(0);
  EXPECT_TRUE(contains(read_error(longer, idx_labels({1, 2})), "byte 24: bytes follow"));
  Bytes shorter = idx_images(2, 2, 2);
  shorter.pop_back();
  EXPECT_TRUE(contains(read_error(shorter, idx_labels({1, 2})), "ends inside 2 images: 7 of 8"));
}

/// The most memory this process has used, in KiB; the tests below would raise it by gigabytes.
long peak_kib() {
  std::ifstream status("/proc/self/status");
  std::string word;
  long kib = 0;
  while (status >> word)
    if (word == "VmPeak:") status >> kib;
  return kib;
}

TEST(Idx, AHeaderThatClaimsBillionsAllocatesNothing) {
  Bytes claims = idx_images(1, 2, 2);
  claims[4] = 0x80;                // 2^31 + 1 images
  claims[10] = claims[14] = 0x0f;  // of thousands of pixels a side
  claims.resize(100);
  const long before = peak_kib();
  EXPECT_TRUE(contains(read_error(claims, idx_labels({1})), "cannot hold"));
  EXPECT_TRUE(contains(read_error(gzipped(claims), idx_labels({1})), "cannot hold"));
  EXPECT_LT(peak_kib() - before, 64 * 1024);
}

TEST(Idx, PackedClaimsGrowOnlyWithWhatArrives) {
  Bytes claims = idx_images(1, 1, 1);
  claims.resize(4 << 20);  // packs to 4 KiB, which could hold what is claimed; the content does not
  claims[5] = 0x3f;
  const std::string error = read_error(gzipped(claims), idx_labels({1}));
  EXPECT_TRUE(contains(error, "ends inside 4128769 images: 4194288 of") || contains(error, "bytes follow")) << error;
}

TEST(Idx, RealSetsHaveTheirPublishedSizes) {
  for (const std::string set : {"mnist", "fashion-mnist"}) {
    if (real_data(set).empty()) GTEST_SKIP() << "no data: " << set;
    const std::vector<std::string> directories = {real_data(set)};
    Options few("data");
    few.set("limit", std::int64_t{100});
    const Dataset read = datasets().make({set, few, {}}, {1, directories});
    EXPECT_EQ(read.shape, (Shape{28, 28, 1}));
    EXPECT_EQ(read.training.labels.size(), 100U);
    EXPECT_EQ(read.test.labels.size(), 10000U);
    EXPECT_EQ(read.checksums.size(), 4U);
    // First labels as published: MNIST 5 0 4, Fashion-MNIST 9 0 0.
    EXPECT_EQ(Bytes(read.training.labels.begin(), read.training.labels.begin() + 3),
              set == "mnist" ? (Bytes{5, 0, 4}) : (Bytes{9, 0, 0}));
  }
}

TEST(Idx, RealNormalisationIsTheMeanAndDeviationOfTheTrainingPixels) {
  for (const std::string set : {"mnist", "fashion-mnist"}) {
    if (real_data(set).empty()) GTEST_SKIP() << "no data: " << set;
    const std::vector<std::string> directories = {real_data(set)};
    const Dataset read = datasets().make({set, Options("data"), {}}, {1, directories});
    EXPECT_EQ(read.training.labels.size(), 60000U);
    double sum = 0, squares = 0;
    for (const std::uint8_t byte : read.training.pixels) {
      sum += byte / 255.0;
      squares += (byte / 255.0) * (byte / 255.0);
    }
    const double count = static_cast<double>(read.training.pixels.size()), mean = sum / count;
    EXPECT_NEAR(mean, read.normalization.mean[0], 1e-4);
    EXPECT_NEAR(std::sqrt(squares / count - mean * mean), read.normalization.deviation[0], 1e-4);
  }
}

}  // namespace
}  // namespace anybit
