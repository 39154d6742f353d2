#include "nn/machine.h"

#include <algorithm>
#include <mutex>
#include <stdexcept>

#include "nn/kernel_set.h"
#include "nn/parallel.h"

namespace anybit {
namespace {

/// The batch sizes that kernels are prepared for. Inference meets one short batch per data set, so one rung serves.
std::vector<int> ladder(int batch, Mode mode) {
  std::vector<int> rungs{batch};
  while (mode == Mode::kTraining && rungs.back() > 1) rungs.push_back((rungs.back() + 1) / 2);
  return rungs;
}

/// Layers that compute a ReLU on their output for nothing.
bool takes_relu(const Operation& operation) {
  return std::holds_alternative<Dense>(operation) || std::holds_alternative<Convolution>(operation) ||
         std::holds_alternative<GroupNorm>(operation) || std::holds_alternative<BatchNorm>(operation) ||
         std::holds_alternative<Add>(operation);
}

}  // namespace

Workspace::Machine::Machine(std::shared_ptr<const Network> of, int batch, Mode how)
    : network(std::move(of)),
      rungs(ladder(batch, how)),
      mode(how),
      stations(network->shapes().size()),
      slots(network->weighted_layers().size()) {
  kernel_set();  // pins the best set where nobody chose one: a run is never on a set that has no name
  const SingleThreadScope one_thread;  // oneDNN fixes its thread count when a primitive is made
  for (const TensorSpec& tensor : network->tensors()) network_size += tensor.size;
  const std::size_t rows = static_cast<std::size_t>(batch);
  images.resize(rows * network->description().input.size());
  labels.resize(rows);
  plan_fusion();
  make_stations();
  std::size_t largest = 0;
  for (std::size_t i = 0; i < stations.size(); ++i)
    if (stations[i].consumers > 1) largest = std::max(largest, network->shapes()[i].size());
  if (mode == Mode::kTraining) branch.resize(rows * largest);
  for (std::size_t l = 0; l < slots.size(); ++l) {
    slots[l].weight.resize(network->slots()[2 * l].size);
    slots[l].activation.resize(rows * network->slots()[2 * l + 1].size);
  }
  stepped.resize(network->tensors().size());
}

/// Decides which ReLU is computed by the layer before it: one that is its only reader.
void Workspace::Machine::plan_fusion() {
  const auto& nodes = network->description().nodes;
  for (const Node& node : nodes)
    for (const int from : node.inputs)
      if (from >= 0) ++stations[static_cast<std::size_t>(from)].consumers;
  for (std::size_t l = 0; l < network->weighted_layers().size(); ++l)
    stations[static_cast<std::size_t>(network->weighted_layers()[l].node)].weighted = static_cast<int>(l);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    stations[i].storage = i;
    if (!is_relu(static_cast<int>(i)) || nodes[i].inputs[0] < 0) continue;
    const std::size_t before = static_cast<std::size_t>(nodes[i].inputs[0]);
    if (takes_relu(nodes[before].operation) && stations[before].consumers == 1) stations[i].storage = before;
  }
}

/// For one workspace at a time: all threads share oneDNN's cache of primitives, and ThreadSanitizer reports its
/// comparison of keys where two are made at once. Whether that is a race or a lock that it cannot see is not settled.
void Workspace::Machine::make_stations() {
  static std::mutex making;
  const std::lock_guard lock(making);
  for (std::size_t i = 0; i < stations.size(); ++i) make_station(i);
}

void Workspace::Machine::make_station(std::size_t node) {
  Station& station = stations[node];
  if (station.storage != node) return;
  const Node& what = network->description().nodes[node];
  LayerPlan plan;
  plan.input = network->input_of(static_cast<int>(node));
  plan.output = network->shapes()[node];
  plan.rungs = rungs;
  plan.training = mode == Mode::kTraining;
  plan.input_gradient = what.inputs[0] >= 0;
  plan.input_is_relu = is_relu(what.inputs[0]);
  plan.portable = portable_kernels();
  plan.onednn = &onednn;
  for (std::size_t i = node + 1; i < stations.size(); ++i)
    if (stations[i].storage == node) {
      plan.fused_relu = true;
      plan.masks_gradient = !read_by_max_pool(static_cast<int>(i));
    }
  const int tensor = network->first_tensor(static_cast<int>(node));
  if (tensor >= 0) plan.wide_dense = network->tensors()[static_cast<std::size_t>(tensor)].channel_stride == 1;
  station.masks_gradient = plan.masks_gradient;
  station.layer = make_layer(what.operation, plan);
  const std::size_t size = static_cast<std::size_t>(rungs.front()) * plan.output.size();
  station.output.resize(size);
  if (plan.training) station.gradient.resize(size);
}

/// Pooling hands nothing back to a zero.
bool Workspace::Machine::read_by_max_pool(int node) const {
  if (stations[static_cast<std::size_t>(node)].consumers != 1) return false;
  return std::ranges::any_of(network->description().nodes, [node](const Node& reader) {
    return std::holds_alternative<MaxPool>(reader.operation) && reader.inputs[0] == node;
  });
}

int Workspace::Machine::rung_for(int live) const {
  if (live < 1 || live > rungs.front()) throw std::logic_error("a batch of " + std::to_string(live) + " examples");
  int rung = 0;
  while (rung + 1 < static_cast<int>(rungs.size()) && rungs[static_cast<std::size_t>(rung) + 1] >= live) ++rung;
  return rung;
}

std::size_t Workspace::Machine::bytes() const {
  std::size_t bytes = held_bytes(images, labels, branch) + onednn.scratch_bytes();
  for (const Station& s : stations) bytes += held_bytes(s.output, s.gradient) + (s.layer ? s.layer->bytes() : 0);
  for (const Slots& s : slots) bytes += held_bytes(s.weight, s.activation);
  return bytes;
}

Workspace::Workspace(std::shared_ptr<const Network> network, int batch, Mode mode)
    : machine_(std::make_unique<Machine>(std::move(network), batch, mode)) {}
Workspace::~Workspace() = default;
Workspace::Workspace(Workspace&&) noexcept = default;
Workspace& Workspace::operator=(Workspace&&) noexcept = default;
const Network& Workspace::network() const { return *machine_->network; }
int Workspace::batch() const { return machine_->rungs.front(); }
std::size_t Workspace::bytes() const { return machine_->bytes(); }
void Workspace::watch(NodeTimes* times) { machine_->times = times; }
std::span<float> Workspace::images() { return machine_->images; }
std::span<std::uint8_t> Workspace::labels() { return machine_->labels; }

}  // namespace anybit
