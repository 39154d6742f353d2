#include "data/datasets/cifar10.h"

#include <gtest/gtest.h>

#include "../files.h"

namespace anybit {
namespace {

/// A record whose first pixel is (red, 100, 200) and whose last is (1, 2, 3).
Bytes record(std::uint8_t label, std::uint8_t red) {
  Bytes bytes(3073, 0);
  bytes[0] = label;
  bytes[1] = red;
  bytes[1 + 1024] = 100;
  bytes[1 + 2048] = 200;
  bytes[1024] = 1;
  bytes[2048] = 2;
  bytes[3072] = 3;
  return bytes;
}

Bytes records(std::initializer_list<std::uint8_t> labels) {
  Bytes all;
  for (const std::uint8_t label : labels) {
    const Bytes one = record(label, label);
    all.insert(all.end(), one.begin(), one.end());
  }
  return all;
}

Dataset load(const Folder& folder, std::int64_t limit = 0) {
  Options options("data");
  options.set("limit", limit);
  const std::vector<std::string> directories = {folder.path()};
  return datasets().make({"cifar-10", options, {}}, {1, directories});
}

TEST(Cifar10, PlanesBecomePixels) {
  const Folder folder;
  ExamplePool pool;
  read_cifar10(folder.write("batch.bin", record(7, 50)), pool);
  ASSERT_EQ(pool.pixels.size(), 3072U);
  EXPECT_EQ(pool.labels, (Bytes{7}));
  EXPECT_EQ(Bytes(pool.pixels.begin(), pool.pixels.begin() + 3), (Bytes{50, 100, 200}));
  EXPECT_EQ(Bytes(pool.pixels.end() - 3, pool.pixels.end()), (Bytes{1, 2, 3}));
}

TEST(Cifar10, AnyNumberOfFilesAndRecordsInTheOrderOfTheirNumbers) {
  const Folder folder;
  folder.write("cifar-10/data_batch_10.bin", records({9}));
  folder.write("cifar-10/data_batch_2.bin.gz", gzipped(records({2, 3, 4})));
  folder.write("cifar-10/data_batch_1.bin", records({1}));
  folder.write("cifar-10/data_batch_1.bin.gz", gzipped(records({8, 8})));  // the plain one stands for it
  folder.write("cifar-10/test_batch_2.bin.gz", gzipped(records({5, 6})));
  folder.write("cifar-10/test_batch_missing.txt", {1});
  const Dataset read = load(folder);
  EXPECT_EQ(read.training.labels, (Bytes{1, 2, 3, 4, 9}));
  EXPECT_EQ(read.test.labels, (Bytes{5, 6}));
  EXPECT_EQ(read.shape, (Shape{32, 32, 3}));
  EXPECT_EQ(read.checksums.size(), 4U);
  EXPECT_EQ(read.training.indices.size(), 5U);
  EXPECT_EQ(read.training.pixels[4 * 3072], 9);

  const Dataset few = load(folder, 2);
  EXPECT_EQ(few.training.labels, (Bytes{1, 2}));
  EXPECT_EQ(few.training.pixels.size(), 2U * 3072);
}

TEST(Cifar10, ARecordOfTheWrongLengthNamesItsPlace) {
  const Folder folder;
  Bytes bytes = records(std::initializer_list<std::uint8_t>{1, 2});
  bytes.pop_back();
  const std::string path = folder.write("batch.bin", bytes);
  ExamplePool pool;
  EXPECT_EQ(data_error([&] { read_cifar10(path, pool); }), path + ": byte 3073: a record of 3072 bytes; expected 3073");
}

TEST(Cifar10, ALabelOutOfRangeAndAnEmptyFileAreRefused) {
  const Folder folder;
  ExamplePool pool;
  const std::string path = folder.write("batch.bin", records({1, 10}));
  EXPECT_EQ(data_error([&] { read_cifar10(path, pool); }), path + ": byte 3073: label 10; expected 0 to 9");
  const std::string empty = folder.write("empty.bin", {});
  EXPECT_TRUE(contains(data_error([&] { read_cifar10(empty, pool); }), "holds no records"));
  const std::string three = folder.write("three.bin", records({1, 2, 3}));
  EXPECT_EQ(data_error([&] { read_cifar10(three, pool, 2); }), three + ": byte 6146: more than 2 records");
}

TEST(Cifar10, MissingFilesSayWhereAndHow) {
  const Folder folder;
  folder.write("cifar-10/data_batch_1.bin", records({1}));  // but no test batch
  const std::string error = data_error([&] { load(folder); });
  EXPECT_TRUE(contains(error, folder.path() + "/cifar-10")) << error;
  EXPECT_TRUE(contains(error, "test_batch*.bin")) << error;
  EXPECT_TRUE(contains(error, "scripts/fetch_data cifar-10")) << error;
}

TEST(Cifar10, ABrokenFileAmongManyIsNamed) {
  const Folder folder;
  folder.write("cifar-10/data_batch_1.bin", records({1}));
  const Bytes packed = gzipped(records({2}));
  folder.write("cifar-10/data_batch_2.bin.gz", Bytes(packed.begin(), packed.end() - 9));
  folder.write("cifar-10/test_batch.bin", records({3}));
  EXPECT_TRUE(contains(data_error([&] { load(folder); }), "data_batch_2.bin.gz: byte "));
}

TEST(Cifar10, TheRealSetHasTenClassesOfFiveThousand) {
  if (real_data("cifar-10").empty()) GTEST_SKIP() << "no data: cifar-10";
  const std::vector<std::string> directories = {real_data("cifar-10")};
  const Dataset read = datasets().make({"cifar-10", Options("data"), {}}, {1, directories});
  ASSERT_EQ(read.training.labels.size(), 50000U);
  EXPECT_GE(read.test.labels.size(), 9968U);
  std::vector<int> counts(10);
  for (const std::uint8_t label : read.training.labels) ++counts[label];
  EXPECT_EQ(counts, std::vector<int>(10, 5000));
  std::array<double, 3> sums{};
  for (std::size_t i = 0; i < read.training.pixels.size(); ++i) sums[i % 3] += read.training.pixels[i] / 255.0;
  for (std::size_t colour = 0; colour < 3; ++colour)
    EXPECT_NEAR(sums[colour] / (50000.0 * 1024), read.normalization.mean[colour], 1e-4);
}

}  // namespace
}  // namespace anybit
