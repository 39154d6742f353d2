#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace anybit {

/// Height, width and channels of one example at one point of a network; memory is NHWC.
struct Shape {
  int height = 1;
  int width = 1;
  int channels = 1;
  std::size_t size() const {
    return static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  }
  bool operator==(const Shape&) const = default;
};

// What a node computes. Plain data: a method may rewrite a description before anything is allocated (DESIGN D5).
struct Dense {
  int outputs = 0;
};  // flattens its input; has a bias
struct Convolution {
  int channels = 0;
  int kernel = 1;
  int stride = 1;
  int padding = 0;
  bool bias = true;
  int groups = 1;  // input and output channels fall into as many groups, each of which sees only its own (depthwise:
                   // as many groups as input channels)
};
struct MaxPool {
  int kernel = 2;
  int stride = 2;
};
struct AveragePool {
  int kernel = 2;
  int stride = 2;
};  // kernel 0: the whole plane
struct Relu {};
struct GroupNorm {
  int groups = 2;
  float epsilon = 1e-5F;
};
/// Joins the examples of a batch in training; keeps running statistics.
struct BatchNorm {
  float momentum = 0.1F;  // weight of the batch in the running statistics
  float epsilon = 1e-5F;
};
/// Zeroes numbers at random in training, and scales the others up so that the mean stays.
struct Dropout {
  float rate = 0.5F;  // probability of a zero, below 1
};
struct Add {};  // of two inputs of one shape
/// He et al. 2016, option A: every stride-th pixel, channels appended as zeros up to `channels`.
struct Shortcut {
  int stride = 1;
  int channels = 0;
};

using Operation =
    std::variant<Dense, Convolution, MaxPool, AveragePool, Relu, GroupNorm, BatchNorm, Dropout, Add, Shortcut>;

/// One step of a network. inputs name earlier nodes by index; -1 is the image.
struct Node {
  std::string name;
  Operation operation;
  std::vector<int> inputs;
};

/// A network as data: nodes in an order in which each comes after its inputs; the last node's output are the logits.
struct Description {
  std::string name;
  Shape input;
  int classes = 0;
  std::vector<Node> nodes;

  /// Appends a node that reads the last one (or the image); returns its index.
  int then(std::string node_name, Operation operation);
  /// Appends a node with named inputs; returns its index.
  int add(std::string node_name, Operation operation, std::vector<int> inputs);
};

/// Output shape of each node. Throws std::invalid_argument naming the node where shapes do not fit.
std::vector<Shape> infer_shapes(const Description& description);

}  // namespace anybit
