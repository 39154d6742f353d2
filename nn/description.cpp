#include "nn/description.h"

#include <stdexcept>
#include <utility>

namespace anybit {
namespace {

[[noreturn]] void fail(const Node& node, const std::string& reason) {
  throw std::invalid_argument("node '" + node.name + "': " + reason);
}

int windows(const Node& node, int size, int kernel, int stride, int padding) {
  if (kernel < 1 || stride < 1 || padding < 0) fail(node, "kernel and stride must be at least 1, padding at least 0");
  if (size + 2 * padding < kernel)
    fail(node, "a window of " + std::to_string(kernel) + " does not fit into " + std::to_string(size) + " pixels");
  return (size + 2 * padding - kernel) / stride + 1;
}

Shape pooled(const Node& node, const Shape& in, int kernel, int stride) {
  if (kernel == 0) return {1, 1, in.channels};
  return {windows(node, in.height, kernel, stride, 0), windows(node, in.width, kernel, stride, 0), in.channels};
}

/// The output shape of one kind of operation.
struct Infer {
  const Node& node;
  const std::vector<Shape>& in;

  Shape operator()(const Dense& d) const {
    if (d.outputs < 1) fail(node, "needs at least one output");
    return {1, 1, d.outputs};
  }
  Shape operator()(const Convolution& c) const {
    if (c.channels < 1) fail(node, "needs at least one channel");
    if (c.groups < 1 || in[0].channels % c.groups != 0 || c.channels % c.groups != 0)
      fail(node, std::to_string(in[0].channels) + " input and " + std::to_string(c.channels) +
                     " output channels do not both divide into " + std::to_string(c.groups) + " groups");
    return {windows(node, in[0].height, c.kernel, c.stride, c.padding),
            windows(node, in[0].width, c.kernel, c.stride, c.padding), c.channels};
  }
  Shape operator()(const MaxPool& p) const {
    // A window's pixels are numbered in a byte.
    if (p.kernel < 1 || p.kernel > 15) fail(node, "a maximum is taken over windows of 1 to 15 pixels a side");
    return pooled(node, in[0], p.kernel, p.stride);
  }
  Shape operator()(const AveragePool& p) const { return pooled(node, in[0], p.kernel, p.stride); }
  Shape operator()(const Relu&) const { return in[0]; }
  Shape operator()(const GroupNorm& g) const {
    if (g.groups < 1 || in[0].channels % g.groups != 0)
      fail(node,
           std::to_string(in[0].channels) + " channels do not divide into " + std::to_string(g.groups) + " groups");
    return in[0];
  }
  Shape operator()(const BatchNorm& b) const {
    if (!(b.momentum > 0 && b.momentum <= 1))
      fail(node, "the batch's weight in running statistics is above 0, up to 1");
    return in[0];
  }
  Shape operator()(const Dropout& d) const {
    if (!(d.rate >= 0 && d.rate < 1)) fail(node, "numbers are dropped with a probability of 0 up to, not including, 1");
    return in[0];
  }
  Shape operator()(const Add&) const {
    if (in.size() != 2 || !(in[0] == in[1])) fail(node, "adds two inputs of one shape");
    return in[0];
  }
  Shape operator()(const Shortcut& s) const {
    if (s.stride < 1 || s.channels < in[0].channels) fail(node, "a shortcut keeps or adds channels");
    return {(in[0].height + s.stride - 1) / s.stride, (in[0].width + s.stride - 1) / s.stride, s.channels};
  }
};

}  // namespace

int Description::then(std::string node_name, Operation operation) {
  const int last = static_cast<int>(nodes.size()) - 1;
  return add(std::move(node_name), operation, {last});
}

int Description::add(std::string node_name, Operation operation, std::vector<int> inputs) {
  nodes.push_back({std::move(node_name), operation, std::move(inputs)});
  return static_cast<int>(nodes.size()) - 1;
}

std::vector<Shape> infer_shapes(const Description& description) {
  std::vector<Shape> shapes;
  for (const Node& node : description.nodes) {
    std::vector<Shape> in;
    for (const int from : node.inputs) {
      if (from < -1 || from >= static_cast<int>(shapes.size())) fail(node, "reads a node that does not come before it");
      in.push_back(from < 0 ? description.input : shapes[static_cast<std::size_t>(from)]);
    }
    if (in.empty()) fail(node, "reads nothing");
    shapes.push_back(std::visit(Infer{node, in}, node.operation));
  }
  return shapes;
}

}  // namespace anybit
