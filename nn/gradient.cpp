#include "nn/gradient.h"

#include <algorithm>
#include <array>
#include <mutex>
#include <stdexcept>

#include "nn/kernel_set.h"
#include "nn/kernels/kernels.h"
#include "nn/layers/layer.h"
#include "nn/layers/onednn.h"
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

/// What a thread owns. Buffers are per node; a ReLU that its predecessor took over shares the predecessor's.
struct Workspace::Machine {
  /// One node's kernels and buffers.
  struct Station {
    std::unique_ptr<Layer> layer;  // null: fused into the node before
    std::size_t storage = 0;       // node whose buffers it uses
    FloatBuffer output;
    FloatBuffer gradient;
    float* arrived = nullptr;  // in this backward pass: `gradient`, or a consumer's own that it hands on as it is
    bool fused_relu = false;   // the layer changes its output's gradient in place
    int weighted = -1;         // index of the weighted layer, -1: none
    int consumers = 0;
  };
  /// One weighted layer's slots: buffers for the values after, and whether they are in use in this pass.
  struct Slots {
    FloatBuffer weight;
    FloatBuffer activation;
    bool weight_used = false;
    bool activation_used = false;
  };

  std::shared_ptr<const Network> network;
  std::vector<int> rungs;
  Mode mode;
  OneDnn onednn;
  std::vector<Station> stations;
  std::vector<Slots> slots;
  std::size_t network_size = 0;  // of the network's own tensors; the method's follow
  FloatBuffer images;
  std::vector<std::uint8_t> labels;
  std::array<FloatBuffer, 2> branches;  // gradients of nodes with several consumers, before they are added; by input
  NodeTimes* times = nullptr;           // where somebody watches

  Machine(std::shared_ptr<const Network> of, int batch, Mode how);
  void plan_fusion();
  void make_stations();
  void make_station(std::size_t node);
  const FloatBuffer& output_of(int node) const {
    return node < 0 ? images : stations[stations[static_cast<std::size_t>(node)].storage].output;
  }
  bool is_relu(int node) const {
    return node >= 0 &&
           std::holds_alternative<Relu>(network->description().nodes[static_cast<std::size_t>(node)].operation);
  }
  int rung_for(int live) const;
  std::size_t bytes() const;
};

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
  if (mode == Mode::kTraining)
    for (FloatBuffer& branch : branches) branch.resize(rows * largest);
  for (std::size_t l = 0; l < slots.size(); ++l) {
    slots[l].weight.resize(network->slots()[2 * l].size);
    slots[l].activation.resize(rows * network->slots()[2 * l + 1].size);
  }
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
  for (std::size_t i = node + 1; i < stations.size(); ++i) plan.fused_relu |= stations[i].storage == node;
  const int tensor = network->first_tensor(static_cast<int>(node));
  if (tensor >= 0) plan.wide_dense = network->tensors()[static_cast<std::size_t>(tensor)].channel_stride == 1;
  station.fused_relu = plan.fused_relu;
  station.layer = make_layer(what.operation, plan);
  const std::size_t size = static_cast<std::size_t>(rungs.front()) * plan.output.size();
  station.output.resize(size);
  if (plan.training) station.gradient.resize(size);
}

int Workspace::Machine::rung_for(int live) const {
  if (live < 1 || live > rungs.front()) throw std::logic_error("a batch of " + std::to_string(live) + " examples");
  int rung = 0;
  while (rung + 1 < static_cast<int>(rungs.size()) && rungs[static_cast<std::size_t>(rung) + 1] >= live) ++rung;
  return rung;
}

std::size_t Workspace::Machine::bytes() const {
  std::size_t floats = images.size() + branches[0].size() + branches[1].size();
  for (const Station& s : stations) floats += s.output.size() + s.gradient.size();
  for (const Slots& s : slots) floats += s.weight.size() + s.activation.size();
  return floats * sizeof(float) + onednn.scratch_bytes();
}

namespace {

/// One run of a machine over a batch.
class Pass {
 public:
  Pass(Workspace::Machine& machine, std::span<const float> parameters, const Batch& batch, const PassSettings& settings,
       std::span<float> gradients)
      : machine_(machine),
        batch_(batch),
        settings_(settings),
        parameters_(parameters),
        gradients_(gradients),
        rung_(machine.rung_for(batch.live())),
        rows_(machine.rungs[static_cast<std::size_t>(rung_)]),
        slot_pass_{parameters, settings.statistics, gradients, settings.draw} {
    if (batch.images.data() != machine.images.data()) {
      std::copy_n(batch.images.data(), live() * image_size(), machine.images.data());
    }
    clear_padding(machine.images, image_size());
  }

  std::span<const float> forward() {
    for (std::size_t i = 0; i < machine_.stations.size(); ++i)
      if (machine_.stations[i].layer) forward_station(i);
    const FloatBuffer& out = machine_.output_of(static_cast<int>(machine_.stations.size()) - 1);
    return std::span<const float>(out).first(live() * classes());
  }

  Score backward(const Loss& loss) {
    const std::size_t last = machine_.stations.size() - 1;
    for (auto& station : machine_.stations) station.arrived = nullptr;
    auto& top = machine_.stations[machine_.stations[last].storage];
    const std::span<const float> outputs = std::span<const float>(top.output).first(live() * classes());
    const Score score = [&] {
      const Stopwatch watch(sum_of(&NodeTimes::loss));
      return loss.apply(outputs, batch_.labels, static_cast<int>(classes()),
                        std::span<float>(top.gradient).first(outputs.size()));
    }();
    clear_padding(top.gradient, classes());
    top.arrived = top.gradient.data();
    std::fill(gradients_.begin() + static_cast<std::ptrdiff_t>(machine_.network_size), gradients_.end(), 0.0F);
    for (const TensorSpec& tensor : machine_.network->tensors())
      if (tensor.role == Role::kStatistic) std::fill_n(gradients_.data() + tensor.offset, tensor.size, 0.0F);
    for (std::size_t i = machine_.stations.size(); i-- > 0;)
      if (machine_.stations[i].layer) backward_station(i);
    if (machine_.times != nullptr) {
      ++machine_.times->steps;
      machine_.times->examples += live();
    }
    return score;
  }

 private:
  std::size_t live() const { return static_cast<std::size_t>(batch_.live()); }
  std::size_t classes() const { return static_cast<std::size_t>(machine_.network->description().classes); }
  std::size_t image_size() const { return machine_.network->description().input.size(); }

  /// Where a stopwatch adds to; null where nobody watches.
  double* sum_of(double NodeTimes::*part) const { return machine_.times ? &(machine_.times->*part) : nullptr; }
  double* sum_of(std::vector<double> NodeTimes::*part, std::size_t node) const {
    return machine_.times ? &(machine_.times->*part)[node] : nullptr;
  }

  /// Rows that no example uses hold zeros, so whatever an earlier batch left there reaches nothing.
  void clear_padding(FloatBuffer& buffer, std::size_t size) const {
    std::fill(buffer.begin() + static_cast<std::ptrdiff_t>(live() * size),
              buffer.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(rows_) * size), 0.0F);
  }

  std::size_t offset(int tensor_index) const {
    return machine_.network->tensors()[static_cast<std::size_t>(tensor_index)].offset;
  }
  const float* tensor(int index) const { return parameters_.data() + offset(index); }
  float* tensor_gradient(int index) const { return gradients_.data() + offset(index); }

  /// Runs the two slots of a weighted layer and says what the layer shall read.
  void apply_slots(int l, const float*& weight, const float*& input) {
    auto& slots = machine_.slots[static_cast<std::size_t>(l)];
    slots.weight_used = slots.activation_used = false;
    if (settings_.function == nullptr) return;
    const Stopwatch watch(sum_of(&NodeTimes::slots));
    const SlotSite& weights = machine_.network->slots()[static_cast<std::size_t>(2 * l)];
    const SlotSite& inputs = machine_.network->slots()[static_cast<std::size_t>(2 * l + 1)];
    slots.weight_used = settings_.function->forward(weights, {weight, weights.size}, slots.weight, slot_pass_);
    const std::size_t used = live() * inputs.size;
    slots.activation_used =
        settings_.function->forward(inputs, {input, used}, std::span<float>(slots.activation).first(used), slot_pass_);
    if (slots.weight_used) weight = slots.weight.data();
    if (!slots.activation_used) return;
    clear_padding(slots.activation, inputs.size);
    input = slots.activation.data();
  }

  void forward_station(std::size_t i) {
    auto& station = machine_.stations[i];
    const Node& node = machine_.network->description().nodes[i];
    LayerPass pass;
    pass.rung = rung_;
    pass.rows = rows_;
    pass.live = batch_.live();
    pass.first = batch_.first;
    pass.training = !gradients_.empty();
    pass.draw = settings_.draw;
    pass.draw.layer = static_cast<std::uint32_t>(i);
    for (std::size_t k = 0; k < node.inputs.size(); ++k) pass.input[k] = machine_.output_of(node.inputs[k]).data();
    pass.output = station.output.data();
    const int first = machine_.network->first_tensor(static_cast<int>(i));
    const int count = machine_.network->tensor_count(static_cast<int>(i));
    if (count > 0) pass.weight = tensor(first);
    if (count > 1) pass.bias = tensor(first + 1);
    for (int s = 0; s + 2 < count; ++s) {
      const std::size_t which = static_cast<std::size_t>(s);
      pass.statistics[which] = tensor(first + 2 + s);
      if (!settings_.statistics.empty())
        pass.updated_statistics[which] = settings_.statistics.data() + offset(first + 2 + s);
    }
    if (station.weighted >= 0) apply_slots(station.weighted, pass.weight, pass.input[0]);
    const Stopwatch watch(sum_of(&NodeTimes::forward, i));
    station.layer->forward(pass);
  }

  void backward_station(std::size_t i) {
    auto& station = machine_.stations[i];
    if (station.arrived == nullptr) throw std::logic_error("node without gradient: nothing reads it");
    own_gradient_where_it_changes(station, i);
    const Node& node = machine_.network->description().nodes[i];
    LayerGradient pass;
    pass.rung = rung_;
    pass.rows = rows_;
    pass.live = batch_.live();
    pass.output = station.output.data();
    pass.output_gradient = station.arrived;
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      pass.input[k] = machine_.output_of(node.inputs[k]).data();
      pass.input_gradient[k] = destination(node.inputs, k);
    }
    if (const int first = machine_.network->first_tensor(static_cast<int>(i)); first >= 0) {
      pass.weight = tensor(first);
      pass.weight_gradient = tensor_gradient(first);
      if (machine_.network->tensor_count(static_cast<int>(i)) > 1) {
        pass.bias = tensor(first + 1);
        pass.bias_gradient = tensor_gradient(first + 1);
      }
    }
    if (station.weighted >= 0) {
      auto& slots = machine_.slots[static_cast<std::size_t>(station.weighted)];
      if (slots.weight_used) pass.weight = slots.weight.data();
      if (slots.activation_used) pass.input[0] = slots.activation.data();
    }
    {
      const Stopwatch watch(sum_of(&NodeTimes::backward, i));
      station.layer->backward(pass);
    }
    if (station.weighted >= 0) slots_backward(station.weighted, node.inputs[0], pass);
    for (std::size_t k = 0; k < node.inputs.size(); ++k) arrived(node.inputs[k], pass.input_gradient[k]);
  }

  std::size_t floats_of(std::size_t node) const {
    return static_cast<std::size_t>(rows_) * machine_.network->shapes()[node].size();
  }

  /// What another node handed on is that node's, and maybe a third one's too.
  void own_gradient_where_it_changes(Workspace::Machine::Station& station, std::size_t node) const {
    if (!station.fused_relu || station.arrived == station.gradient.data()) return;
    std::copy_n(station.arrived, floats_of(node), station.gradient.data());
    station.arrived = station.gradient.data();
  }

  /// Where a consumer writes the gradient of its k-th input: straight into that node's, or beside it when another
  /// consumer, or another input of this one, writes there.
  float* destination(const std::vector<int>& inputs, std::size_t k) const {
    if (inputs[k] < 0) return nullptr;
    auto& to = machine_.stations[machine_.stations[static_cast<std::size_t>(inputs[k])].storage];
    const bool taken = to.arrived == to.gradient.data() || (k > 0 && inputs[k] == inputs[0]);
    return taken ? machine_.branches[k].data() : to.gradient.data();
  }

  void arrived(int node, float* gradient) const {
    if (node < 0) return;
    auto& to = machine_.stations[machine_.stations[static_cast<std::size_t>(node)].storage];
    if (to.arrived != nullptr) {
      kernels().add(to.arrived, gradient, to.gradient.data(), floats_of(static_cast<std::size_t>(node)));
      gradient = to.gradient.data();
    }
    to.arrived = gradient;
  }

  void slots_backward(int l, int input_node, const LayerGradient& pass) {
    const auto& slots = machine_.slots[static_cast<std::size_t>(l)];
    if (!slots.weight_used && !slots.activation_used) return;
    const Stopwatch watch(sum_of(&NodeTimes::slots));
    const SlotSite& weights = machine_.network->slots()[static_cast<std::size_t>(2 * l)];
    const SlotSite& inputs = machine_.network->slots()[static_cast<std::size_t>(2 * l + 1)];
    if (slots.weight_used)
      settings_.function->backward(weights, {tensor(weights.tensor), weights.size}, slots.weight,
                                   {pass.weight_gradient, weights.size}, slot_pass_);
    if (slots.activation_used && pass.input_gradient[0] != nullptr) {
      const std::size_t used = live() * inputs.size;
      settings_.function->backward(inputs, std::span<const float>(machine_.output_of(input_node)).first(used),
                                   std::span<const float>(slots.activation).first(used), {pass.input_gradient[0], used},
                                   slot_pass_);
    }
  }

  Workspace::Machine& machine_;
  const Batch& batch_;
  const PassSettings& settings_;
  std::span<const float> parameters_;
  std::span<float> gradients_;
  int rung_;
  int rows_;
  SlotPass slot_pass_;
};

}  // namespace

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

std::span<const float> forward(Workspace& workspace, std::span<const float> parameters, const Batch& batch,
                               const PassSettings& settings) {
  const SingleThreadScope one_thread;
  return Pass(workspace.machine(), parameters, batch, settings, {}).forward();
}

Score gradient(Workspace& workspace, std::span<const float> parameters, const Batch& batch,
               const PassSettings& settings, const Loss& loss, std::span<float> gradients) {
  const SingleThreadScope one_thread;
  Pass pass(workspace.machine(), parameters, batch, settings, gradients);
  pass.forward();
  return pass.backward(loss);
}

}  // namespace anybit
