#include "tests/nn/layer_cases.h"

namespace anybit {
namespace {

Convolution conv(int channels, int kernel, int stride = 1, int padding = 0, bool bias = true) {
  return {.channels = channels, .kernel = kernel, .stride = stride, .padding = padding, .bias = bias};
}

Convolution grouped(int channels, int groups, int stride = 1) {
  return {.channels = channels, .kernel = 3, .stride = stride, .padding = 1, .bias = true, .groups = groups};
}

std::vector<LayerCase> weighted_cases() {
  const Convolution some = conv(6, 3, 1, 1);
  return {
      {"dense", [](Description&) {}},
      {"dense_wide", [](Description& d) { d.then("a", Dense{20}); }},
      {"dense_relu",
       [](Description& d) {
         d.then("a", Dense{20});
         d.then("r", Relu{});
         d.then("b", Dense{18});
         d.then("s", Relu{});
       }},
      {"convolution", [](Description& d) { d.then("a", conv(5, 3)); }},
      {"convolution_rectangle", [](Description& d) { d.then("a", conv(4, 2, 2, 1)); }, {9, 4, 2}},
      {"convolution_stride_padding",
       [some](Description& d) {
         d.then("a", some);
         d.then("b", conv(5, 3, 2, 1));
       }},
      {"convolution_without_bias",
       [](Description& d) {
         d.then("a", conv(16, 3, 1, 1, false));
         d.then("b", conv(16, 3, 1, 1, false));
       }},
      {"convolution_by_winograd",  // edges beside whole tiles, an input that needs no gradient
       [](Description& d) {
         d.then("a", conv(32, 3, 1, 1));
         d.then("b", conv(64, 3, 1, 0, false));
       },
       {7, 6, 32}},
      {"convolution_by_winograd_relu",
       [](Description& d) {
         d.then("a", conv(32, 1));
         d.then("b", conv(32, 3, 1, 1));
         d.then("r", Relu{});
       }},
      {"convolution_relu",
       [](Description& d) {
         d.then("a", conv(16, 5, 1, 2));
         d.then("r", Relu{});
         d.then("b", conv(8, 1));
         d.then("s", Relu{});
       }},
  };
}

std::vector<LayerCase> pool_cases() {
  const Convolution some = conv(6, 3, 1, 1);
  return {
      {"max_pool",
       [some](Description& d) {
         d.then("a", some);
         d.then("p", MaxPool{2, 2});
       }},
      {"max_pool_overlapping",
       [some](Description& d) {
         d.then("a", some);
         d.then("p", MaxPool{3, 2});
       }},
      {"max_pool_after_relu",
       [some](Description& d) {
         d.then("a", some);
         d.then("r", Relu{});
         d.then("p", MaxPool{2, 2});
         d.then("b", conv(4, 2));
       }},
      {"average_pool",
       [some](Description& d) {
         d.then("a", some);
         d.then("p", AveragePool{2, 2});
       }},
      {"average_pool_overlapping",
       [some](Description& d) {
         d.then("a", some);
         d.then("p", AveragePool{3, 2});
       }},
      {"average_pool_of_the_plane",
       [some](Description& d) {
         d.then("a", some);
         d.then("p", AveragePool{0, 1});
       }},
  };
}

std::vector<LayerCase> group_norm_cases() {
  const Convolution some = conv(6, 3, 1, 1);
  return {
      {"group_norm",
       [some](Description& d) {
         d.then("a", some);
         d.then("n", GroupNorm{2});
       }},
      {"group_norm_of_one_group",
       [some](Description& d) {
         d.then("a", some);
         d.then("n", GroupNorm{1});
         d.then("b", conv(4, 2));
       }},
      {"group_norm_per_channel",
       [some](Description& d) {
         d.then("a", some);
         d.then("n", GroupNorm{6});
       }},
      {"group_norm_of_96_channels",
       [](Description& d) {
         d.then("a", conv(96, 2, 1, 0, false));
         d.then("n", GroupNorm{3});
         d.then("p", AveragePool{2, 2});
       },
       {3, 3, 2}},
      {"group_norm_of_24_channels",
       [](Description& d) {
         d.then("a", conv(24, 3, 1, 1, false));
         d.then("n", GroupNorm{2});
       }},
      {"group_norm_relu",
       [](Description& d) {
         d.then("a", conv(16, 3, 1, 1, false));
         d.then("n", GroupNorm{2});
         d.then("r", Relu{});
         d.then("b", conv(4, 3));
       }},
  };
}

std::vector<LayerCase> branch_cases() {
  const Convolution some = conv(6, 3, 1, 1);
  return {
      {"relu_read_twice",
       [some](Description& d) {
         d.then("a", some);
         const int relu = d.then("r", Relu{});
         const int branch = d.then("b", some);
         d.add("sum", Add{}, {branch, relu});
       }},
      {"relu_of_a_layer_read_twice",
       [some](Description& d) {
         const int first = d.then("a", some);
         const int relu = d.then("r", Relu{});
         d.add("sum", Add{}, {first, relu});
       }},
      {"relu_of_the_image",
       [](Description& d) {
         d.then("r", Relu{});
         d.then("a", Dense{20});
       }},
      {"add",
       [some](Description& d) {
         const int first = d.then("a", some);
         const int second = d.then("b", some);
         d.add("sum", Add{}, {first, second});
         d.then("r", Relu{});
       }},
      {"add_of_one_node_twice",
       [some](Description& d) {
         const int first = d.then("a", some);
         d.add("sum", Add{}, {first, first});
       }},
      {"shortcut",
       [some](Description& d) {
         const int entry = d.then("a", some);
         const int branch = d.then("b", conv(9, 3, 2, 1));
         const int shortcut = d.add("c", Shortcut{2, 9}, {entry});
         d.add("sum", Add{}, {branch, shortcut});
       }},
      {"residual_block",
       [](Description& d) {
         d.then("a", conv(8, 3, 1, 1, false));
         d.then("n", GroupNorm{2});
         const int entry = d.then("r", Relu{});
         d.then("b", conv(16, 3, 2, 1, false));
         d.then("m", GroupNorm{2});
         const int branch = d.then("s", Relu{});
         const int shortcut = d.add("c", Shortcut{2, 16}, {entry});
         d.add("sum", Add{}, {branch, shortcut});
         d.then("t", Relu{});
         d.then("p", AveragePool{0, 1});
       }},
  };
}

std::vector<LayerCase> grouped_cases() {
  return {
      {"convolution_of_groups",
       [](Description& d) {
         d.then("a", conv(6, 3, 1, 1));
         d.then("b", grouped(4, 2));
       }},
      {"convolution_of_groups_of_the_image", [](Description& d) { d.then("a", grouped(6, 3, 2)); }},
      {"convolution_of_wide_groups",
       [](Description& d) {
         d.then("a", conv(32, 3, 1, 1, false));
         d.then("b", grouped(32, 2));
       }},
      {"convolution_of_groups_relu",
       [](Description& d) {
         d.then("a", conv(8, 3, 1, 1, false));
         d.then("b", grouped(8, 2));
         d.then("r", Relu{});
       }},
      {"convolution_depthwise",
       [](Description& d) {
         d.then("a", conv(5, 3, 1, 1));
         d.then("b", grouped(5, 5, 2));
       }},
      {"convolution_depthwise_relu",
       [](Description& d) {
         d.then("a", conv(16, 1, 1, 0, false));
         d.then("b", grouped(16, 16));
         d.then("r", Relu{});
         d.then("c", conv(8, 1));
       }},
      {"convolution_depthwise_to_more_channels",
       [](Description& d) {
         d.then("a", conv(8, 3, 1, 1));
         d.then("b", grouped(16, 8));
       }},
  };
}

std::vector<LayerCase> batch_norm_cases() {
  const Shape image = {7, 6, 3};
  return {
      {"batch_norm",
       [](Description& d) {
         d.then("a", conv(6, 3, 1, 1, false));
         d.then("n", BatchNorm{});
       },
       image, true},
      {"batch_norm_relu",
       [](Description& d) {
         d.then("a", conv(16, 3, 1, 1, false));
         d.then("n", BatchNorm{});
         d.then("r", Relu{});
         d.then("b", conv(4, 3));
       },
       image, true},
      {"batch_norm_behind_relu",  // whose bias would see a gradient of padding rows
       [](Description& d) {
         d.then("a", conv(6, 3, 1, 1));
         d.then("r", Relu{});
         d.then("n", BatchNorm{});
       },
       image, true},
      {"batch_norm_of_64_channels",
       [](Description& d) {
         d.then("a", conv(64, 2, 1, 0, false));
         d.then("n", BatchNorm{});
         d.then("p", AveragePool{0, 1});
       },
       {3, 3, 2},
       true},
      {"batch_norm_of_the_image", [](Description& d) { d.then("n", BatchNorm{}); }, image, true},
  };
}

std::vector<LayerCase> dropout_cases() {
  const Shape image = {7, 6, 3};
  return {
      {"dropout",
       [](Description& d) {
         d.then("a", conv(6, 3, 1, 1));
         d.then("o", Dropout{0.25F});
       },
       image, true},
      {"dropout_relu",
       [](Description& d) {
         d.then("a", Dense{150});
         d.then("o", Dropout{0.1F});
         d.then("r", Relu{});
         d.then("b", Dense{20});
       },
       image, true},
  };
}

}  // namespace

std::vector<LayerCase> layer_cases() {
  std::vector<LayerCase> all;
  for (const auto& more : {weighted_cases(), grouped_cases(), pool_cases(), group_norm_cases(), batch_norm_cases(),
                           dropout_cases(), branch_cases()})
    all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace anybit
