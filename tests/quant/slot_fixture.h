#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "nn/network.h"
#include "quant/method.h"

namespace anybit {

/// 6 -> 20 -> 3 with a ReLU: the first dense layer is stored with its channels side by side, the last one in runs.
inline std::shared_ptr<const Network> two_layers() {
  Description description;
  description.name = "two_layers";
  description.input = {1, 1, 6};
  description.classes = 3;
  description.then("dense1", Dense{20});
  description.then("relu1", Relu{});
  description.then("dense2", Dense{3});
  return std::make_shared<const Network>(description);
}

/// 6 -> 6 -> 3 without one: what the last layer reads has either sign.
inline std::shared_ptr<const Network> linear_layers() {
  Description description;
  description.name = "linear_layers";
  description.input = {1, 1, 6};
  description.classes = 3;
  description.then("dense1", Dense{6});
  description.then("dense2", Dense{3});
  return std::make_shared<const Network>(description);
}

inline Part method_part(const std::string& name, const std::vector<std::pair<std::string, OptionValue>>& options = {}) {
  Part part{name, Options("training.method"), {}};
  for (const auto& [key, value] : options) part.options.set(key, value);
  return part;
}

inline OptionValue widths(std::vector<std::int64_t> bits) { return OptionValue(std::move(bits)); }

/// One client's use of a method: parameters, program and a pass, ready to be called slot by slot.
struct Played {
  explicit Played(const Part& part, std::shared_ptr<const Network> its_network = two_layers())
      : network(std::move(its_network)), method(methods().make(part)) {
    layout = make_layout(*network, method);
    parameters = make_parameters(*network, method, layout, 5);
    if (method.quantizers) program = method.quantizers->make_program(network, layout);
    gradients.assign(layout->size(), 0.0F);
    chosen.assign(network->slots().size(), kFloatWidth);
    moment.draw = {5, Purpose::kTest, 1, 2, 0, 0};
    if (program) program->begin_client(parameters.values);
  }

  /// Begins local step `step` with the schedule's own widths.
  void begin(std::uint32_t step) {
    moment.draw.step = step;
    method.schedule->choose(moment, network->slots(), chosen);
    program->begin_step(chosen, moment);
  }

  SlotPass pass() { return {parameters.values, parameters.values, gradients, moment.draw}; }
  const SlotSite& site(int slot) const { return network->slots()[static_cast<std::size_t>(slot)]; }

  /// A weight as the layer sees it; itself where the program leaves it alone.
  std::vector<float> weight_of(int slot) {
    const auto before = std::as_const(parameters).tensor(site(slot).tensor);
    std::vector<float> after(before.begin(), before.end());
    SlotPass its = pass();
    program->forward(site(slot), before, after, its);
    return after;
  }

  std::shared_ptr<const Network> network;
  Method method;
  std::shared_ptr<const Layout> layout;
  Parameters parameters;
  std::unique_ptr<SlotProgram> program;
  std::vector<float> gradients;
  std::vector<std::uint8_t> chosen;
  Moment moment;
};

}  // namespace anybit
