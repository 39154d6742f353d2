#include "nn/models/rows.h"

namespace anybit {
namespace {

constexpr int kStages = 3;
constexpr int kFirstChannels = 16;

/// He et al., Deep residual learning, CVPR 2016, for CIFAR: three stages of `blocks` residual blocks, 6 blocks + 2
/// layers, shortcuts without parameters (option A), every convolution followed by `norm`.
struct Family {
  std::string name;
  int blocks;
  Operation norm;
};

/// conv<number> and norm<number>; reads the last node.
void convolution(Description& description, const Family& family, int number, int channels, int stride) {
  const std::string suffix = std::to_string(number);
  description.then("conv" + suffix,
                   Convolution{.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = false});
  description.then("norm" + suffix, family.norm);
}

/// Two convolutions, the first numbered `number`, around a shortcut.
void residual_block(Description& description, const Family& family, int number, int channels, int stride) {
  const int entry = static_cast<int>(description.nodes.size()) - 1;
  const std::string first = std::to_string(number);
  const std::string second = std::to_string(number + 1);
  convolution(description, family, number, channels, stride);
  description.then("relu" + first, Relu{});
  convolution(description, family, number + 1, channels, 1);
  const int branch = static_cast<int>(description.nodes.size()) - 1;
  const int shortcut = stride == 1 ? entry : description.add("shortcut" + second, Shortcut{stride, channels}, {entry});
  description.add("add" + second, Add{}, {branch, shortcut});
  description.then("relu" + second, Relu{});
}

Description describe(const Family& family, Shape image, int classes) {
  require_image(family.name, image, 4);  // one pixel is left after two strides of 2
  Description description{family.name, image, classes, {}};
  convolution(description, family, 1, kFirstChannels, 1);
  description.then("relu1", Relu{});
  for (int block = 0; block < kStages * family.blocks; ++block) {
    const int stage = block / family.blocks;
    const bool halves = stage > 0 && block % family.blocks == 0;
    residual_block(description, family, 2 + 2 * block, kFirstChannels << stage, halves ? 2 : 1);
  }
  description.then("pool", AveragePool{.kernel = 0, .stride = 1});
  description.then("dense", Dense{classes});
  return description;
}

ModelTable::Row row(Family family, std::string help, std::string paper) {
  return {{family.name, std::move(help), std::move(paper), {}, {"", {}, {}, "has no options"}},
          [family = std::move(family)](const Options&, Shape image, int classes) {
            return describe(family, image, classes);
          }};
}

constexpr const char* kPaper = "He et al., Deep residual learning, CVPR 2016 (6n+2 layers for CIFAR, n = ";

}  // namespace

ModelTable::Row resnet8_row() {
  return row({"resnet8", 1, GroupNorm{.groups = 2}},
             "residual network of 8 layers (16, 32, 64 channels), GroupNorm of 2 groups, shortcuts of option A",
             std::string(kPaper) + "1); Wu and He, Group normalization, ECCV 2018");
}

ModelTable::Row resnet20_row() {
  return row({"resnet20", 3, GroupNorm{.groups = 2}},
             "residual network of 20 layers (16, 32, 64 channels), GroupNorm of 2 groups, shortcuts of option A",
             std::string(kPaper) + "3); Wu and He, Group normalization, ECCV 2018");
}

ModelTable::Row resnet20_bn_row() {
  return row({"resnet20-bn", 3, BatchNorm{}},
             "resnet20 with BatchNorm, whose running mean and mean of squares are averaged over clients",
             std::string(kPaper) + "3); Ioffe and Szegedy, Batch normalization, ICML 2015");
}

}  // namespace anybit
