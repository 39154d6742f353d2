#include <gtest/gtest.h>

#include <stdexcept>

#include "nn/models/model.h"
#include "nn/network.h"

namespace anybit {
namespace {

constexpr Shape kGrey = {28, 28, 1};
constexpr Shape kColour = {32, 32, 3};

Description make_model(const std::string& name, Shape image, int classes = 10,
                       const std::vector<std::int64_t>& hidden = {}) {
  Part part{name, Options("model"), {"test.toml", 3}};
  if (!hidden.empty()) part.options.set("hidden", hidden, {"test.toml", 4});
  return models().make(part, image, classes);
}

std::size_t parameter_count(const Description& description) { return Layout(Network(description).tensors()).size(); }

std::vector<std::string> node_names(const Description& description) {
  std::vector<std::string> names;
  for (const Node& node : description.nodes) names.push_back(node.name);
  return names;
}

TEST(Models, ParameterCounts) {
  EXPECT_EQ(parameter_count(make_model("logistic", kGrey)), 784U * 10 + 10);
  EXPECT_EQ(parameter_count(make_model("mlp", kGrey)), 784U * 200 + 200 + 200 * 200 + 200 + 200 * 10 + 10);
  EXPECT_EQ(parameter_count(make_model("mlp", kGrey, 10, {30})), 784U * 30 + 30 + 30 * 10 + 10);
  // Specs A 1.7 and E: 582,026 for 28x28 grey images, 1024 inputs of the first dense layer.
  EXPECT_EQ(parameter_count(make_model("lenet", kGrey)), 582026U);
  EXPECT_EQ(parameter_count(make_model("lenet", kGrey, 62)), 582026U + 52 * 513);
  // 1600 inputs of the first dense layer: 2432 + 51264 + 1600 * 512 + 512 + 5130.
  EXPECT_EQ(parameter_count(make_model("lenet", kColour)), 878538U);
  // Convolutions 9 * (3*16 + 2*16*16 + 16*32 + 32*32 + 32*64 + 64*64), norms 2 * (3*16 + 2*32 + 2*64), dense 650.
  EXPECT_EQ(parameter_count(make_model("resnet8", kColour)), 9U * 8240 + 480 + 650);
}

TEST(Models, NamesOfNodes) {
  EXPECT_EQ(node_names(make_model("logistic", kGrey)), (std::vector<std::string>{"dense"}));
  EXPECT_EQ(node_names(make_model("mlp", kGrey)),
            (std::vector<std::string>{"dense1", "relu1", "dense2", "relu2", "dense3"}));
  EXPECT_EQ(
      node_names(make_model("lenet", kGrey)),
      (std::vector<std::string>{"conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "dense1", "relu3", "dense2"}));
  EXPECT_EQ(node_names(make_model("resnet8", kColour)),
            (std::vector<std::string>{"conv1", "norm1", "relu1",                                          //
                                      "conv2", "norm2", "relu2", "conv3", "norm3", "add3",      "relu3",  //
                                      "conv4", "norm4", "relu4", "conv5", "norm5", "shortcut5", "add5",
                                      "relu5", "conv6", "norm6", "relu6", "conv7", "norm7",     "shortcut7",
                                      "add7",  "relu7", "pool",  "dense"}));
}

TEST(Models, Resnet8ShapesHalveWhereChannelsDouble) {
  const Description description = make_model("resnet8", kColour);
  const std::vector<Shape> shapes = infer_shapes(description);
  const auto shape_of = [&](const std::string& name) {
    for (std::size_t i = 0; i < shapes.size(); ++i)
      if (description.nodes[i].name == name) return shapes[i];
    return Shape{0, 0, 0};
  };
  EXPECT_EQ(shape_of("relu3"), (Shape{32, 32, 16}));
  EXPECT_EQ(shape_of("relu5"), (Shape{16, 16, 32}));
  EXPECT_EQ(shape_of("relu7"), (Shape{8, 8, 64}));
  EXPECT_EQ(shape_of("pool"), (Shape{1, 1, 64}));
}

TEST(Models, TakeOddAndSmallestSizes) {
  EXPECT_NO_THROW(Network(make_model("lenet", {16, 16, 1})));
  EXPECT_NO_THROW(Network(make_model("lenet", {17, 31, 2})));
  EXPECT_NO_THROW(Network(make_model("resnet8", {4, 5, 1})));
  EXPECT_NO_THROW(Network(make_model("resnet8", {33, 29, 3})));
  EXPECT_NO_THROW(Network(make_model("mlp", {1, 1, 1})));
}

TEST(Models, ImagesTooSmallAreRefusedWithTheSizes) {
  try {
    make_model("lenet", {8, 28, 1});
    FAIL();
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "model lenet needs images of at least 16x16 pixels; these have 8x28");
  }
  EXPECT_THROW(make_model("resnet8", {3, 8, 3}), std::invalid_argument);
}

TEST(Models, WrongOptionsAreRefused) {
  EXPECT_THROW(make_model("mlp", kGrey, 10, {0}), ScenarioError);
  EXPECT_THROW(make_model("lenet", kGrey, 10, {5}), ScenarioError);
  EXPECT_THROW(make_model("vgg", kGrey), ScenarioError);
}

TEST(Models, EveryAlternativeChangesTheNetwork) {
  for (const auto& row : models().rows()) {
    for (const OptionRow& option : row.info.options) {
      Part part{row.info.name, Options("model"), {"test.toml", 3}};
      const std::size_t before = parameter_count(models().make(part, kColour, 10));
      part.options.set(option.name, option.alternative);
      EXPECT_NE(parameter_count(models().make(part, kColour, 10)), before) << row.info.name << "." << option.name;
    }
  }
}

}  // namespace
}  // namespace anybit
