#include "nn/models/rows.h"

namespace anybit {
namespace {

Description make(const Options&, Shape image, int classes) {
  require_image("cnn", image, 6);  // leaves one pixel after the pooling
  Description description{"cnn", image, classes, {}};
  description.then("conv1", Convolution{.channels = 32, .kernel = 3});
  description.then("relu1", Relu{});
  description.then("conv2", Convolution{.channels = 64, .kernel = 3});
  description.then("relu2", Relu{});
  description.then("pool", MaxPool{2, 2});
  description.then("dropout1", Dropout{0.25F});
  description.then("dense1", Dense{128});
  description.then("relu3", Relu{});
  description.then("dropout2", Dropout{0.5F});
  description.then("dense2", Dense{classes});
  return description;
}

}  // namespace

ModelTable::Row cnn_row() {
  return {{"cnn",
           "two unpadded 3x3 convolutions (32, 64), max pooling, a dense layer of 128, dropout of 0.25 and 0.5",
           "Reddi et al., Adaptive federated optimization, ICLR 2021 (EMNIST CR); as pfl-research runs it on CIFAR-10",
           {},
           {"", {}, {}, "has no options"}},
          make};
}

}  // namespace anybit
