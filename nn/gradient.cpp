#include "nn/gradient.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include "nn/kernels/kernels.h"
#include "nn/machine.h"
#include "nn/parallel.h"

namespace anybit {
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

  /// From now on `step` is offered to the layers, to be taken on `weights`, which are the pass's parameters.
  void offer(const PlainStep& step, const Layout& layout, std::span<float> weights) {
    step_ = &step;
    layout_ = &layout;
    weights_ = weights;
  }

  Score backward(const Loss& loss) {
    std::fill(machine_.stepped.begin(), machine_.stepped.end(), false);
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
      pass.input_gradient[k] = destination(node.inputs[k]);
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
      offer_step(pass, station.weighted);
      if (slots.activation_used) pass.input[0] = slots.activation.data();
    }
    {
      const Stopwatch watch(sum_of(&NodeTimes::backward, i));
      station.layer->backward(pass);
    }
    if (pass.stepped)
      machine_.stepped[static_cast<std::size_t>(machine_.network->first_tensor(static_cast<int>(i)))] = true;
    if (station.weighted >= 0) slots_backward(station.weighted, node.inputs[0], pass);
    for (std::size_t k = 0; k < node.inputs.size(); ++k) {
      assert(k == 0 || node.inputs[k] < 0 || pass.input_gradient[k] == pass.output_gradient);
      arrived(node.inputs[k], pass.input_gradient[k]);
    }
  }

  /// The gradient of a weight that a slot replaced passes the slot first, unless the step does what the slot would. A
  /// weight of rate 0 stays as it is, whatever its gradient: 0 times infinity would not leave it.
  void offer_step(LayerGradient& pass, int l) {
    if (step_ == nullptr) return;
    const SlotSite& site = machine_.network->slots()[static_cast<std::size_t>(2 * l)];
    const OptimizerGroup& group = layout_->tensors()[static_cast<std::size_t>(site.tensor)].group;
    if (group.rate == 0.0F) return;
    offered_ = step_of(*step_, group);
    const bool replaced = machine_.slots[static_cast<std::size_t>(l)].weight_used;
    if (replaced && !settings_.function->only_clips(site, offered_)) return;
    pass.step = &offered_;
    pass.stepped_weight = weights_.data() + offset(site.tensor);
  }

  std::size_t floats_of(std::size_t node) const {
    return static_cast<std::size_t>(rows_) * machine_.network->shapes()[node].size();
  }

  /// What another node handed on is that node's, and maybe a third one's too.
  void own_gradient_where_it_changes(Workspace::Machine::Station& station, std::size_t node) const {
    if (!station.masks_gradient || station.arrived == station.gradient.data()) return;
    std::copy_n(station.arrived, floats_of(node), station.gradient.data());
    station.arrived = station.gradient.data();
  }

  /// Where a consumer writes the gradient of its input: straight into that node's, or beside it when another consumer
  /// wrote there.
  float* destination(int input) const {
    if (input < 0) return nullptr;
    auto& to = machine_.stations[machine_.stations[static_cast<std::size_t>(input)].storage];
    return to.arrived == to.gradient.data() ? machine_.branch.data() : to.gradient.data();
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
    if (slots.weight_used && !pass.stepped)
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
  const PlainStep* step_ = nullptr;
  const Layout* layout_ = nullptr;
  std::span<float> weights_;
  PlainStep offered_ = {};  // to the layer at work
};

}  // namespace

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

Score descend(Workspace& workspace, const Layout& layout, std::span<float> parameters, const Batch& batch,
              const PassSettings& settings, const Loss& loss, const PlainStep& step, std::span<float> gradients) {
  const SingleThreadScope one_thread;
  Workspace::Machine& machine = workspace.machine();
  Pass pass(machine, parameters, batch, settings, gradients);
  pass.forward();
  pass.offer(step, layout, parameters);
  const Score score = pass.backward(loss);
  const std::vector<TensorSpec>& tensors = layout.tensors();
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const TensorSpec& tensor = tensors[t];
    if (tensor.group.rate == 0.0F || (t < machine.stepped.size() && machine.stepped[t])) continue;
    kernels().plain_step(parameters.data() + tensor.offset, gradients.data() + tensor.offset, tensor.size,
                         step_of(step, tensor.group));
  }
  return score;
}

}  // namespace anybit
