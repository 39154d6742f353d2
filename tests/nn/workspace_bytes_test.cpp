// What a workspace says that it takes, against the buffers that its network needs.
#include <gtest/gtest.h>

#include <memory>
#include <ostream>

#include "nn/gradient.h"

namespace anybit {
namespace {

constexpr Shape kImage{6, 6, 4};
constexpr int kFewClasses = 3;

/// Image, then `layer`, then logits on our own kernels, which need no room beside.
std::shared_ptr<const Network> network_with(const Operation& layer) {
  Description description{"bytes", kImage, kFewClasses, {}};
  description.then("layer", layer);
  description.then("logits", Dense{kFewClasses});
  return std::make_shared<const Network>(std::move(description));
}

std::size_t bytes(const std::shared_ptr<const Network>& network, int batch) {
  return Workspace(network, batch, Mode::kTraining).bytes();
}

/// Bytes that one more example takes: image and label, of each node the output and its gradient, of each weighted layer
/// the input as a slot leaves it.
std::size_t bytes_of_an_example(const Network& network) {
  std::size_t floats = kImage.size();
  for (const Shape& shape : network.shapes()) floats += 2 * shape.size();
  for (const WeightedLayer& layer : network.weighted_layers()) floats += network.input_of(layer.node).size();
  return floats * sizeof(float) + sizeof(std::uint8_t);
}

struct Kept {
  const char* name;
  Operation layer;
  std::size_t of_an_example;  // bytes that the layer keeps from forward to backward
  friend void PrintTo(const Kept& kept, std::ostream* out) { *out << kept.name; }
};

class WorkspaceBytes : public testing::TestWithParam<Kept> {};

TEST_P(WorkspaceBytes, GrowByWhatTheLayerKeepsOfAnExample) {
  const auto network = network_with(GetParam().layer);
  const std::size_t expected = bytes_of_an_example(*network) + GetParam().of_an_example;
  EXPECT_EQ(bytes(network, 3) - bytes(network, 2), expected);
  EXPECT_EQ(bytes(network, 10) - bytes(network, 2), 8 * expected);
}

INSTANTIATE_TEST_SUITE_P(Layers, WorkspaceBytes,
                         testing::Values(Kept{"relu", Relu{}, 0}, Kept{"maxPool", MaxPool{2, 2}, 3 * 3 * 4},
                                         Kept{"dropout", Dropout{}, 6 * 6 * 4},
                                         Kept{"groupNorm", GroupNorm{2}, 2 * 2 * sizeof(float)},
                                         Kept{"batchNorm", BatchNorm{}, 0}),
                         [](const auto& tested) { return std::string(tested.param.name); });

TEST(WorkspaceBytes, CountTheRoomOfNorms) {
  const std::size_t without = bytes(network_with(Relu{}), 1);
  const std::size_t channel = 4 * sizeof(double) + 9 * sizeof(float);  // at least; lanes repeat channels
  EXPECT_GE(bytes(network_with(BatchNorm{}), 1) - without, kImage.channels * channel);
  EXPECT_GE(bytes(network_with(GroupNorm{2}), 1) - without, kImage.channels * 7 * sizeof(float));
}

// Gradients of two consumers are joined over one buffer of the largest such node.
TEST(WorkspaceBytes, HaveRoomForOneBranch) {
  Description description{"bytes", kImage, kFewClasses, {}};
  const int relu = description.then("relu", Relu{});
  const int again = description.add("again", Relu{}, {relu});
  description.add("sum", Add{}, {relu, again});
  description.then("logits", Dense{kFewClasses});
  const auto network = std::make_shared<const Network>(std::move(description));
  EXPECT_EQ(bytes(network, 3) - bytes(network, 2), bytes_of_an_example(*network) + kImage.size() * sizeof(float));
}

}  // namespace
}  // namespace anybit
