#include "nn/models/rows.h"

namespace anybit {
namespace {

constexpr int kStages = 3;
constexpr int kFirstChannels = 16;
constexpr int kGroups = 2;

/// conv<number> and norm<number>; reads the last node.
void convolution(Description& description, int number, int channels, int stride) {
  const std::string suffix = std::to_string(number);
  description.then("conv" + suffix,
                   Convolution{.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = false});
  description.then("norm" + suffix, GroupNorm{.groups = kGroups});
}

/// Two convolutions, the first numbered `number`, around a shortcut without parameters (option A).
void residual_block(Description& description, int number, int channels, int stride) {
  const int entry = static_cast<int>(description.nodes.size()) - 1;
  const std::string first = std::to_string(number);
  const std::string second = std::to_string(number + 1);
  convolution(description, number, channels, stride);
  description.then("relu" + first, Relu{});
  convolution(description, number + 1, channels, 1);
  const int branch = static_cast<int>(description.nodes.size()) - 1;
  const int shortcut = stride == 1 ? entry : description.add("shortcut" + second, Shortcut{stride, channels}, {entry});
  description.add("add" + second, Add{}, {branch, shortcut});
  description.then("relu" + second, Relu{});
}

Description make(const Options&, Shape image, int classes) {
  require_image("resnet8", image, 4);  // one pixel is left after two strides of 2
  Description description{"resnet8", image, classes, {}};
  convolution(description, 1, kFirstChannels, 1);
  description.then("relu1", Relu{});
  for (int stage = 0; stage < kStages; ++stage)
    residual_block(description, 2 + 2 * stage, kFirstChannels << stage, stage == 0 ? 1 : 2);
  description.then("pool", AveragePool{.kernel = 0, .stride = 1});
  description.then("dense", Dense{classes});
  return description;
}

}  // namespace

ModelTable::Row resnet8_row() {
  return {{"resnet8",
           "residual network of 8 layers (16, 32, 64 channels), GroupNorm of 2 groups, shortcuts of option A",
           "He et al., Deep residual learning, CVPR 2016 (6n+2 layers for CIFAR, n = 1); Wu and He, Group "
           "normalization, ECCV 2018",
           {},
           {"", {}, {}, "has no options"}},
          make};
}

}  // namespace anybit
