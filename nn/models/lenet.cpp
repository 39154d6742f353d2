#include "nn/models/rows.h"

namespace anybit {
namespace {

Description make(const Options&, Shape image, int classes) {
  require_image("lenet", image, 16);  // leaves one pixel after the second pooling
  Description description{"lenet", image, classes, {}};
  description.then("conv1", Convolution{.channels = 32, .kernel = 5});
  description.then("relu1", Relu{});
  description.then("pool1", MaxPool{2, 2});
  description.then("conv2", Convolution{.channels = 64, .kernel = 5});
  description.then("relu2", Relu{});
  description.then("pool2", MaxPool{2, 2});
  description.then("dense1", Dense{512});
  description.then("relu3", Relu{});
  description.then("dense2", Dense{classes});
  return description;
}

}  // namespace

ModelTable::Row lenet_row() {
  return {{"lenet",
           "two unpadded 5x5 convolutions (32, 64) with max pooling, a dense layer of 512",
           "after LeCun et al. 1998; the CNN of McMahan et al., AISTATS 2017, without padding",
           {},
           {"", {}, {}, "has no options"}},
          make};
}

}  // namespace anybit
