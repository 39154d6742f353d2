#include "nn/network.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <utility>

namespace anybit {
namespace {

/// Dense weights of more outputs than this are stored [in][out], which the forward pass prefers; fewer outputs
/// [out][in] (specs E: measured at 784x200 and 784x10).
constexpr int kWideOutputs = 16;

TensorSpec tensor(const std::string& name, std::vector<int> shape, Role role) {
  TensorSpec spec;
  spec.name = name;
  spec.shape = std::move(shape);
  spec.role = role;
  return spec;
}

/// A running statistic: the optimiser leaves it alone, clients' values are averaged.
TensorSpec statistic(const std::string& name, int channels) {
  TensorSpec spec = tensor(name, {channels}, Role::kStatistic);
  spec.group = {.rate = 0.0F, .decay = false};
  return spec;
}

bool is_norm(const Node& node) {
  return std::holds_alternative<GroupNorm>(node.operation) || std::holds_alternative<BatchNorm>(node.operation);
}

TensorSpec dense_weight(const Node& node, int inputs, int outputs) {
  const bool wide = outputs > kWideOutputs;
  TensorSpec spec = tensor(node.name + ".weight",
                           wide ? std::vector<int>{inputs, outputs} : std::vector<int>{outputs, inputs}, Role::kWeight);
  spec.channels = outputs;
  spec.channel_stride = wide ? 1 : inputs;
  return spec;
}

TensorSpec convolution_weight(const Node& node, int inputs, const Convolution& c) {
  const int seen = inputs / c.groups;  // by each filter
  TensorSpec spec = tensor(node.name + ".weight", {c.channels, seen, c.kernel, c.kernel}, Role::kWeight);
  spec.channels = c.channels;
  spec.channel_stride = seen * c.kernel * c.kernel;
  return spec;
}

/// A node that nobody reads would never see a gradient.
void refuse_unread_nodes(const Description& description) {
  std::vector<bool> read(description.nodes.size(), false);
  read.back() = true;
  for (const Node& node : description.nodes)
    for (const int from : node.inputs)
      if (from >= 0) read[static_cast<std::size_t>(from)] = true;
  for (std::size_t i = 0; i < read.size(); ++i)
    if (!read[i]) throw std::invalid_argument("node '" + description.nodes[i].name + "': nobody reads it");
}

/// Whether a node's output is never below zero.
bool is_non_negative(const Description& description, int node) {
  if (node < 0) return false;  // the image
  const Node& from = description.nodes[static_cast<std::size_t>(node)];
  const auto holds = [&]<class... Operations>() { return (std::holds_alternative<Operations>(from.operation) || ...); };
  if (holds.operator()<Relu>()) return true;
  return holds.operator()<MaxPool, AveragePool, Dropout, Add, Shortcut>() &&
         std::ranges::all_of(from.inputs, [&](int input) { return is_non_negative(description, input); });
}

/// Two slots for each weighted layer: its weight, and what it reads.
std::vector<SlotSite> slots_of(const Network& network) {
  const std::vector<WeightedLayer>& layers = network.weighted_layers();
  std::vector<SlotSite> slots;
  for (std::size_t l = 0; l < layers.size(); ++l) {
    const TensorSpec& weight = network.tensors()[static_cast<std::size_t>(layers[l].weight)];
    SlotSite site;
    site.layer = static_cast<int>(l);
    site.first = l == 0;
    site.last = l + 1 == layers.size();
    site.slot = static_cast<int>(2 * l);
    site.kind = SlotKind::kWeight;
    site.name = weight.name;
    site.tensor = layers[l].weight;
    site.channels = weight.channels;
    site.channel_stride = weight.channel_stride;
    site.size = weight.size;
    site.non_negative = false;
    slots.push_back(site);
    site.slot += 1;
    site.kind = SlotKind::kActivation;
    site.name = network.description().nodes[static_cast<std::size_t>(layers[l].node)].name + ".input";
    site.tensor = -1;
    site.channels = 1;
    site.channel_stride = 1;
    site.size = network.input_of(layers[l].node).size();
    const Description& description = network.description();
    site.non_negative =
        is_non_negative(description, description.nodes[static_cast<std::size_t>(layers[l].node)].inputs[0]);
    slots.push_back(site);
  }
  return slots;
}

}  // namespace

Network::Network(Description description) : description_(std::move(description)), shapes_(infer_shapes(description_)) {
  if (description_.nodes.empty() || static_cast<int>(shapes_.back().size()) != description_.classes)
    throw std::invalid_argument("network '" + description_.name + "': the last node must give " +
                                std::to_string(description_.classes) + " outputs");
  refuse_unread_nodes(description_);
  for (std::size_t i = 0; i < description_.nodes.size(); ++i) {
    const Node& node = description_.nodes[i];
    const Shape in = input_of(static_cast<int>(i));
    const int next = static_cast<int>(tensors_.size());
    first_tensor_.push_back(-1);
    if (const auto* dense = std::get_if<Dense>(&node.operation)) {
      const int inputs = static_cast<int>(in.size());
      first_tensor_.back() = next;
      tensors_.push_back(dense_weight(node, inputs, dense->outputs));
      tensors_.push_back(tensor(node.name + ".bias", {dense->outputs}, Role::kBias));
      weighted_.push_back({static_cast<int>(i), next, next + 1, 2.0 * inputs * dense->outputs});
    } else if (const auto* convolution = std::get_if<Convolution>(&node.operation)) {
      first_tensor_.back() = next;
      tensors_.push_back(convolution_weight(node, in.channels, *convolution));
      if (convolution->bias) tensors_.push_back(tensor(node.name + ".bias", {convolution->channels}, Role::kBias));
      weighted_.push_back(
          {static_cast<int>(i), next, convolution->bias ? next + 1 : -1,
           2.0 * tensors_[static_cast<std::size_t>(next)].channel_stride * static_cast<double>(shapes_[i].size())});
    } else if (is_norm(node)) {
      first_tensor_.back() = next;
      tensors_.push_back(tensor(node.name + ".scale", {in.channels}, Role::kNorm));
      tensors_.push_back(tensor(node.name + ".shift", {in.channels}, Role::kNorm));
      if (std::holds_alternative<BatchNorm>(node.operation))
        for (const char* moment : {".mean", ".square"}) tensors_.push_back(statistic(node.name + moment, in.channels));
    }
    tensor_count_.push_back(static_cast<int>(tensors_.size()) - next);
  }
  std::size_t offset = 0;
  for (TensorSpec& spec : tensors_) {
    spec.offset = offset;
    spec.size = 1;
    for (const int extent : spec.shape) spec.size *= static_cast<std::size_t>(extent);
    offset += spec.size;
  }
  slots_ = slots_of(*this);
}

Shape Network::input_of(int node, int which) const {
  const int from = description_.nodes[static_cast<std::size_t>(node)].inputs.at(static_cast<std::size_t>(which));
  return from < 0 ? description_.input : shapes_[static_cast<std::size_t>(from)];
}

bool Network::uses_batch_statistics() const {
  return std::any_of(tensors_.begin(), tensors_.end(),
                     [](const TensorSpec& tensor) { return tensor.role == Role::kStatistic; });
}

double Network::forward_flops() const {
  double total = 0;
  for (const WeightedLayer& layer : weighted_) total += layer.flops;
  return total;
}

void Network::initialize(std::span<float> values, std::uint64_t seed) const {
  double bound = 1;  // of the last weight seen: a bias follows its weight
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    const TensorSpec& t = tensors_[i];
    const std::span<float> out = values.subspan(t.offset, t.size);
    if (t.role == Role::kNorm || t.role == Role::kStatistic) {
      const bool one = t.name.ends_with(".scale") || t.name.ends_with(".square");
      std::fill(out.begin(), out.end(), one ? 1.0F : 0.0F);
      continue;
    }
    if (t.role == Role::kWeight) bound = 1.0 / std::sqrt(static_cast<double>(t.size) / t.channels);
    const Stream stream({seed, Purpose::kInitialize, 0, 0, 0, static_cast<std::uint32_t>(i)});
    stream.fill_uniform(out, static_cast<float>(-bound), static_cast<float>(bound));
  }
}

}  // namespace anybit
