#include "wire/training_plan.h"

#include <stdexcept>
#include <utility>

#include "nn/models/model.h"

namespace anybit {
namespace {

/// Tensors that the downlink carries, and those that a client may send back (DESIGN D1).
bool is_broadcast(const TensorSpec& tensor) { return tensor.merge != Merge::kLocal && tensor.merge != Merge::kSum; }
bool is_uploaded(const TensorSpec& tensor) {
  return is_merged_by_mean(tensor) || tensor.merge == Merge::kMax || tensor.merge == Merge::kSum;
}

std::shared_ptr<const Network> make_network(const Part& model, const Method& method, Shape input, int classes) {
  try {
    Description description = models().make(model, input, classes);
    if (method.rewrite) description = method.rewrite(std::move(description));
    return std::make_shared<const Network>(std::move(description));
  } catch (const std::invalid_argument& mistake) {
    throw ScenarioError(model.where, "model '" + model.name + "': " + mistake.what(), "model");
  }
}

/// Asks the method about the network and about every class of devices.
void check_method(const Scenario& scenario, const Method& method, const Network& network) {
  if (!method.refuse) return;
  Mistakes mistakes;
  const auto check = [&](std::span<const int> device_widths) {
    const std::string refusal = method.refuse(network, device_widths);
    if (!refusal.empty())
      mistakes.add({scenario.training.method.where, "method '" + method.name + "': " + refusal, "training.method"});
  };
  check({});
  for (const FleetClass& devices : scenario.fleet) check(devices.widths);
  mistakes.throw_if_any();
}

}  // namespace

NetworkPlan make_network_plan(const Scenario& scenario, Shape input, int classes) {
  NetworkPlan plan;
  plan.method = methods().make(scenario.training.method);
  plan.network = make_network(scenario.model, plan.method, input, classes);
  check_method(scenario, plan.method, *plan.network);
  plan.layout = make_layout(*plan.network, plan.method);
  return plan;
}

TrainingPlan make_plan(const Scenario& scenario, Shape input, int classes) {
  TrainingPlan plan(make_network_plan(scenario, input, classes));
  plan.objective = objectives().make(scenario.training.objective);
  plan.optimizer = optimizers().make(scenario.training.optimizer);
  plan.uplink = codecs().make(scenario.federation.uplink);
  plan.downlink = codecs().make(scenario.federation.downlink);
  for (std::size_t t = 0; t < plan.layout->tensors().size(); ++t) {
    if (is_broadcast(plan.layout->tensors()[t])) plan.broadcast.push_back(static_cast<int>(t));
    if (is_uploaded(plan.layout->tensors()[t])) plan.uploaded.push_back(static_cast<int>(t));
  }
  plan.seed = scenario.seed;
  plan.epochs = scenario.training.epochs;
  plan.batch = scenario.training.batch;
  plan.rounds = static_cast<std::uint32_t>(scenario.federation.rounds);
  return plan;
}

}  // namespace anybit
