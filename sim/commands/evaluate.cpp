#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "scenarios/width.h"
#include "server/checkpoint.h"
#include "sim/accuracy_table.h"
#include "sim/commands/commands.h"
#include "sim/federation.h"
#include "sim/metrics.h"
#include "sim/resolve.h"

namespace anybit {
namespace {

struct EvaluateOptions {
  std::string checkpoint;
  std::vector<int> weights;
  std::vector<int> activations;
  std::vector<std::string> ranges;
  std::vector<std::string> granularities;
  bool json = false;
  MachineOptions machine;
};

/// Without any of the four lists, the scenario's final grid; else what is left open means what it means in a scenario.
EvaluationGrid asked_grid(const EvaluateOptions& options, const EvaluationGrid& of_scenario) {
  if (options.weights.empty() && options.activations.empty() && options.ranges.empty() && options.granularities.empty())
    return of_scenario;
  EvaluationGrid grid;
  grid.first = of_scenario.first;
  grid.last = of_scenario.last;
  grid.where = grid.range_where = {"evaluate", 0};
  if (!options.weights.empty()) grid.weights = options.weights;
  if (!options.activations.empty()) grid.activations = options.activations;
  if (!options.ranges.empty()) grid.range = options.ranges;
  if (!options.granularities.empty()) grid.granularity = options.granularities;
  return grid;
}

/// The scenario is the checkpoint's own, so what makes another network of it is the data.
[[noreturn]] void refuse_data(const std::string& checkpoint, const FederatedData& data) {
  throw CommandError(fmt::format("checkpoint {}: its network is not for the data here, images of {} x {} x {} in {} "
                                 "classes; name the data that it was trained on with --data-dir",
                                 checkpoint, data.shape.height, data.shape.width, data.shape.channels, data.classes));
}

int evaluate_checkpoint(const EvaluateOptions& options) {
  options.machine.apply();
  Checkpoint checkpoint = read_checkpoint(options.checkpoint);
  Scenario scenario = parse_scenario(checkpoint.scenario, options.checkpoint, {});
  scenario.evaluate.final_grid = asked_grid(options, scenario.evaluate.final_grid);
  scenario.evaluate.grid = scenario.evaluate.final_grid;
  scenario.evaluate.has_final = false;
  const std::vector<std::string> data = data_directories(options.machine.data_directory);
  const Federation federation = make_federation(resolve_scenario(std::move(scenario), data).scenario, data);
  if (checkpoint.layout != federation.training.layout->digest()) refuse_data(options.checkpoint, *federation.data);
  attach_layout(checkpoint, federation.training.layout, options.checkpoint);
  Evaluator evaluator(federation.training.network, *federation.data, options.machine.worker_threads(),
                      federation.training.method.weight_fit);
  const std::vector<Accuracy> values =
      evaluator.evaluate(checkpoint.state.global, federation.scenario.evaluate.grid);
  if (options.json)
    fmt::print("{}\n", accuracies_json(values));
  else
    fmt::print("{}: round {}, accuracy in % on the test examples, by width of the weights\n{}", options.checkpoint,
               checkpoint.state.version, accuracy_table(values));
  return 0;
}

CLI::Validator width_check() {
  return CLI::Validator(
      [](std::string& text) {
        int width = 0;
        const bool fits = CLI::detail::lexical_cast(text, width) && is_width(width);
        return fits ? std::string() : "width " + text + " is not 2 to 16, or 32 for float";
      },
      "WIDTH");
}

}  // namespace

void add_evaluate_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<EvaluateOptions>();
  CLI::App& command = *program.add_subcommand("evaluate", "Test a checkpoint at bit widths");
  command.add_option("checkpoint", options->checkpoint, "Checkpoint or model.ckpt")->required();
  command.add_option("--weights", options->weights, "Widths of the weights, e.g. 8,4,3,2; 32 is float")
      ->delimiter(',')->check(width_check());
  command.add_option("--activations", options->activations, "Widths of the activations, e.g. 32,8")
      ->delimiter(',')->check(width_check());
  command.add_option("--range", options->ranges, "Range rules of the weights, e.g. minmax,mse")->delimiter(',');
  command.add_option("--granularity", options->granularities, "tensor, channel or both")
      ->delimiter(',')->check(CLI::IsMember({"tensor", "channel"}));
  command.add_flag("--json", options->json, "As a JSON array of objects");
  options->machine.add_to(command);
  command.callback([options, &chosen] { chosen = [options] { return evaluate_checkpoint(*options); }; });
}

}  // namespace anybit
