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
  // 896 + 18496 + 12544 * 128 + 128 + 1290: the 1.63 million of pfl-research's benchmark.
  EXPECT_EQ(parameter_count(make_model("cnn", kColour)), 1626442U);
  // Convolutions 9 * (3*16 + 6*16*16 + 16*32 + 5*32*32 + 32*64 + 5*64*64), norms 2 * (7*16 + 6*32 + 6*64), dense 650.
  EXPECT_EQ(parameter_count(make_model("resnet20", kColour)), 9U * 29744 + 1376 + 650);
  // Each norm's running mean and mean of squares besides.
  EXPECT_EQ(parameter_count(make_model("resnet20-bn", kColour)), 9U * 29744 + 2 * 1376 + 650);
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
  EXPECT_EQ(node_names(make_model("cnn", kColour)),
            (std::vector<std::string>{"conv1", "relu1", "conv2", "relu2", "pool", "dropout1", "dense1", "relu3",
                                      "dropout2", "dense2"}));
  EXPECT_EQ(node_names(make_model("resnet20", kColour)), node_names(make_model("resnet20-bn", kColour)));
}

Shape shape_of(const Description& description, const std::string& name) {
  const std::vector<Shape> shapes = infer_shapes(description);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    if (description.nodes[i].name == name) return shapes[i];
  return {0, 0, 0};
}

TEST(Models, ResidualShapesHalveWhereChannelsDouble) {
  const Description small = make_model("resnet8", kColour);
  EXPECT_EQ(shape_of(small, "relu3"), (Shape{32, 32, 16}));
  EXPECT_EQ(shape_of(small, "relu5"), (Shape{16, 16, 32}));
  EXPECT_EQ(shape_of(small, "relu7"), (Shape{8, 8, 64}));
  EXPECT_EQ(shape_of(small, "pool"), (Shape{1, 1, 64}));
  for (const char* name : {"resnet20", "resnet20-bn"}) {
    const Description large = make_model(name, kColour);
    EXPECT_EQ(shape_of(large, "relu7"), (Shape{32, 32, 16}));
    EXPECT_EQ(shape_of(large, "relu8"), (Shape{16, 16, 32}));
    EXPECT_EQ(shape_of(large, "relu13"), (Shape{16, 16, 32}));
    EXPECT_EQ(shape_of(large, "relu14"), (Shape{8, 8, 64}));
    EXPECT_EQ(shape_of(large, "relu19"), (Shape{8, 8, 64}));
  }
}

// He et al. 2016, table 6: 0.27 million parameters and, by their count of multiply-adds, 41 million for a CIFAR image.
TEST(Models, Resnet20CostsWhatThePaperSays) {
  EXPECT_NEAR(Network(make_model("resnet20", kColour)).forward_flops() / 2, 40.6e6, 0.2e6);
}

TEST(Models, OnlyBatchNormJoinsExamples) {
  for (const auto& row : models().rows()) {
    const Network network(models().make({row.info.name, Options("model"), {}}, kColour, 10));
    EXPECT_EQ(network.uses_batch_statistics(), row.info.name == "resnet20-bn") << row.info.name;
  }
}

// A filter sees its own group of input channels only: an eighth of the weights, and of the work.
TEST(Models, GroupsDivideWeightsAndWork) {
  const auto with_groups = [](int groups) {
    Description description{"grouped", {8, 8, 16}, 10, {}};
    description.then("conv", Convolution{.channels = 32, .kernel = 3, .padding = 1, .groups = groups});
    description.then("dense", Dense{10});
    return Network(description);
  };
  const Network whole = with_groups(1), parts = with_groups(8);
  EXPECT_EQ(parts.tensors()[0].shape, (std::vector<int>{32, 2, 3, 3}));
  EXPECT_EQ(parts.slots()[0].size, 32U * 18);
  EXPECT_EQ(parts.slots()[0].channels, 32);
  EXPECT_EQ(parts.slots()[0].channel_stride, 18);
  EXPECT_EQ(parts.slots()[1].size, 1024U);
  EXPECT_EQ(whole.weighted_layers()[0].flops, 2.0 * 64 * 32 * 144);
  EXPECT_EQ(parts.weighted_layers()[0].flops, whole.weighted_layers()[0].flops / 8);
  EXPECT_THROW(with_groups(3), std::invalid_argument);
  EXPECT_THROW(with_groups(0), std::invalid_argument);
}

TEST(Models, RatesAndMomentaOutOfRangeAreRefused) {
  const auto network = [](Operation operation) {
    Description description{"one", {4, 4, 2}, 3, {}};
    description.then("node", operation);
    description.then("dense", Dense{3});
    return Network(description);
  };
  EXPECT_NO_THROW(network(Dropout{0.0F}));
  EXPECT_THROW(network(Dropout{1.0F}), std::invalid_argument);
  EXPECT_THROW(network(Dropout{-0.1F}), std::invalid_argument);
  EXPECT_NO_THROW(network(BatchNorm{.momentum = 1.0F}));
  EXPECT_THROW(network(BatchNorm{.momentum = 0.0F}), std::invalid_argument);
}

TEST(Models, TakeOddAndSmallestSizes) {
  EXPECT_NO_THROW(Network(make_model("lenet", {16, 16, 1})));
  EXPECT_NO_THROW(Network(make_model("lenet", {17, 31, 2})));
  EXPECT_NO_THROW(Network(make_model("resnet8", {4, 5, 1})));
  EXPECT_NO_THROW(Network(make_model("resnet8", {33, 29, 3})));
  EXPECT_NO_THROW(Network(make_model("cnn", {6, 6, 1})));
  EXPECT_NO_THROW(Network(make_model("resnet20-bn", {5, 4, 2})));
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
  EXPECT_THROW(make_model("cnn", {6, 5, 3}), std::invalid_argument);
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
