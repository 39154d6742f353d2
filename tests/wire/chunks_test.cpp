#include "wire/chunks.h"

#include <gtest/gtest.h>

#include "nn/models/model.h"

namespace anybit {
namespace {

std::shared_ptr<const Network> network_of(const std::string& model, Shape image) {
  return std::make_shared<const Network>(models().make({model, Options("model"), {}}, image, 10));
}

std::uint32_t chunks(const std::string& model, Shape image, int batch) {
  const auto network = network_of(model, image);
  return chunks_of_batch(*network, Layout(network->tensors()), batch);
}

TEST(Chunks, AsManyAsTheWorkOfABatchIsWorth) {
  constexpr Shape kGrey{28, 28, 1};
  EXPECT_EQ(chunks("logistic", kGrey, 100), 1U);
  EXPECT_EQ(chunks("mlp", kGrey, 10), 1U);
  EXPECT_EQ(chunks("mlp", kGrey, 32), 1U);
  EXPECT_EQ(chunks("lenet", kGrey, 1), 1U) << "there is nothing to cut";
  EXPECT_EQ(chunks("lenet", kGrey, 4), 1U);
  EXPECT_EQ(chunks("lenet", kGrey, 10), 2U);
  EXPECT_EQ(chunks("lenet", kGrey, 32), 2U);
  EXPECT_EQ(chunks("lenet", kGrey, 100), 4U);
  EXPECT_EQ(chunks("resnet8", {32, 32, 3}, 32), 8U);
  EXPECT_EQ(chunks("lenet", kGrey, 100000), kMostChunks);
}

TEST(Chunks, StatisticsOfABatchAreNeverCut) {
  const auto network = network_of("lenet", {28, 28, 1});
  std::vector<TensorSpec> tensors = network->tensors();
  EXPECT_TRUE(can_be_cut(*network, Layout(tensors)));
  tensors.push_back({.name = "dense.input.range", .shape = {2}, .role = Role::kStatistic});
  EXPECT_FALSE(can_be_cut(*network, Layout(tensors)));
  EXPECT_EQ(chunks_of_batch(*network, Layout(tensors), 32), 1U);
  EXPECT_EQ(chunks("resnet20", {32, 32, 3}, 32), 8U);
  EXPECT_EQ(chunks("resnet20-bn", {32, 32, 3}, 32), 1U);
}

TEST(Chunks, OnlyAClientThatHoldsMostOfItsRoundIsCut) {
  using Examples = std::vector<std::uint32_t>;
  const auto cut = [](const Examples& examples) { return client_to_cut(examples); };
  EXPECT_EQ(cut({1000, 100, 100}), 0U);
  EXPECT_EQ(cut({100, 1000, 100}), 1U);
  EXPECT_EQ(cut({100, 100, 1000}), 2U);
  EXPECT_EQ(cut({5}), 0U) << "a client alone holds all";
  EXPECT_EQ(cut({100, 100, 100}), std::nullopt);
  EXPECT_EQ(cut({3, 1, 1, 1}), std::nullopt) << "half is not most";
  EXPECT_EQ(cut({4, 1, 1, 1}), 0U);
  EXPECT_EQ(cut({51, 49}), std::nullopt) << "a thread for each is as fast";
  EXPECT_EQ(cut({100, 51}), std::nullopt);
  EXPECT_EQ(cut({51, 100}), std::nullopt);
  EXPECT_EQ(cut({100, 50}), 0U);
  EXPECT_EQ(cut({50, 100}), 1U);
  EXPECT_EQ(cut({4000000000, 1000000000, 1000000000}), 0U) << "sums are 64 bits wide";
  EXPECT_EQ(cut({2, 2}), std::nullopt);
  EXPECT_EQ(cut({}), std::nullopt);
}

TEST(Chunks, DifferInSizeByAtMostOneSample) {
  std::vector<std::size_t> begins;
  for (std::size_t chunk = 0; chunk <= 4; ++chunk) begins.push_back(chunk_begin(10, 4, chunk));
  EXPECT_EQ(begins, (std::vector<std::size_t>{0, 2, 5, 7, 10}));
}

}  // namespace
}  // namespace anybit
