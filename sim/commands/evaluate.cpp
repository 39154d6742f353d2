#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>

#include "program/exit_code.h"
#include "program/machine_options.h"
#include "program/tell.h"
#include "scenarios/width.h"
#include "server/checkpoint.h"
#include "server/class_accuracy.h"
#include "server/event_log.h"
#include "server/federation.h"
#include "server/grid_points.h"
#include "server/record/accuracy_table.h"
#include "server/record/class_table.h"
#include "server/record/data_record.h"
#include "server/record/metrics.h"
#include "server/record/progress.h"
#include "server/record/run_directory.h"
#include "server/resolve.h"
#include "sim/commands/commands.h"

namespace anybit {
namespace {

struct EvaluateOptions {
  std::string checkpoint;
  EvaluationGrid grid;  // what is not asked for is as in a scenario, but for the weights
  std::uint32_t class_clients = Scenario::Evaluate().class_clients;
  bool classes = false;
  bool json = false;
  std::function<bool(const char*)> asked;  // whether an option stands in the command line
  MachineOptions machine;
};

/// The scenario of a checkpoint, to be tested on the grid, but with float activations: what there is for others is for
/// check_activations() to say, in words of this command.
Scenario scenario_of(const Checkpoint& checkpoint, const EvaluateOptions& options,
                     const std::vector<std::string>& data_directories) {
  Scenario scenario = parse_scenario_within(checkpoint.scenario, options.checkpoint);
  scenario.evaluate.grid = options.grid;
  scenario.evaluate.class_clients = options.class_clients;
  scenario.evaluate.grid.activations = {kFloatWidth};
  for (FleetClass& one : scenario.fleet) one.availability = FleetClass().availability;  // nobody trains
  if (options.classes) scenario.evaluate.grid.weights = {kFloatWidth};                  // the classes have their own
  return resolve_scenario(std::move(scenario), data_directories).scenario;
}

/// Classes do without the method's own quantizers where it has none.
void check_activations(const Federation& federation, const EvaluateOptions& options) {
  if (!options.classes) Evaluator::check_trained(options.grid, federation.training);
  const std::vector<GridPoint> points =
      options.classes ? class_points(federation, options.grid) : grid_points(options.grid);
  if (federation.training.method.has_activation_ranges || federation.scenario.data.proxy > 0 ||
      std::ranges::none_of(points, needs_ranges))
    return;
  throw CommandError(
      fmt::format("{}: cannot quantize activations: it was trained without ranges for them and without "
                  "data.proxy to calibrate them on; leave --activations out, or train anew with "
                  "data.proxy or with a method that learns activation ranges",
                  options.checkpoint));
}

/// The scenario is the checkpoint's own, so what makes another network of it is the data.
[[noreturn]] void refuse_data(const std::string& checkpoint, const FederatedData& data) {
  throw CommandError(
      fmt::format("checkpoint {}: its network is not for the data here, images of {} x {} x {} in {} "
                  "classes; name the data that it was trained on with --data-dir",
                  checkpoint, data.shape.height, data.shape.width, data.shape.channels, data.classes));
}

/// The folder of the run that a checkpoint lies in, or in whose checkpoints/ it does.
RunDirectory run_of(const std::string& checkpoint) {
  const std::filesystem::path folder = std::filesystem::absolute(checkpoint).lexically_normal().parent_path();
  return RunDirectory(folder.filename() == "checkpoints" ? folder.parent_path() : folder);
}

/// The scenario of the run that a checkpoint is of; nothing where it does not lie in that run's folder.
std::optional<Scenario> scenario_of_run(const RunDirectory& run, const Checkpoint& checkpoint,
                                        const std::vector<std::string>& data_directories) {
  if (!std::filesystem::exists(run.scenario())) return std::nullopt;
  try {
    Scenario scenario = resolve_file(run.scenario().string(), {}, data_directories).scenario;
    if (result_bearing_text(scenario) == checkpoint.scenario) return scenario;
  } catch (const std::runtime_error&) {  // none that could have been the run's
  }
  return std::nullopt;
}

/// Takes over what the run's own table by class went by, where that is not asked for otherwise.
void take_grid(const Scenario::Evaluate& evaluate, EvaluateOptions& options) {
  const EvaluationGrid& own = evaluate.has_final ? evaluate.final_grid : evaluate.grid;
  EvaluationGrid& grid = options.grid;
  if (!options.asked("--activations")) grid.activations = own.activations;
  if (!options.asked("--range")) grid.range = own.range;
  if (!options.asked("--granularity")) grid.granularity = own.granularity;
  if (!options.asked("--first")) grid.first = own.first;
  if (!options.asked("--last")) grid.last = own.last;
  if (evaluate.class_clients > 0) options.class_clients = evaluate.class_clients;
}

/// A client on a network may be another device than the scenario draws: its run's log says so. Only that is looked for:
/// a run that was killed, or goes on, has half a line at the end of its log.
void refuse_told_widths(const std::string& log, const std::string& checkpoint) {
  std::ifstream file(log, std::ios::binary);
  LoggedEvent event;
  for (std::string line; std::getline(file, line) && !file.eof(); event = {})
    if (parse_event(line, event).empty() && !event.widths.empty())
      throw CommandError(
          fmt::format("{}: a device of its run told widths of its own (client {}: {}), so its clients are not of the "
                      "classes that the scenario draws; leave --classes out and name --weights",
                      checkpoint, event.client, fmt::join(event.widths, ",")));
}

/// What a checkpoint's run says about its clients, where it lies in that run's folder.
void go_by_run(const Checkpoint& checkpoint, const std::vector<std::string>& data_directories,
               EvaluateOptions& options) {
  const RunDirectory run = run_of(options.checkpoint);
  const std::optional<Scenario> scenario = scenario_of_run(run, checkpoint, data_directories);
  if (!scenario) return;
  refuse_told_widths(run.events().string(), options.checkpoint);
  take_grid(scenario->evaluate, options);
}

void refuse_classes(const Federation& federation, const std::string& checkpoint) {
  if (federation.fleet.classes().empty())
    throw CommandError(checkpoint +
                       ": it was trained without classes of devices ([[fleet.class]]); leave --classes out");
}

void refuse_folder(const std::string& path) {
  std::error_code unreadable;
  if (!std::filesystem::is_directory(path, unreadable)) return;
  const std::string model = RunDirectory(path).model().string();
  const bool has_one = std::filesystem::exists(model);
  throw CommandError(path + ": is a folder" + (has_one ? "; did you mean " + model + "?" : ", not a checkpoint"));
}

/// What `work` returns, with progress on the screen meanwhile.
template <class Work>
auto watched(Evaluator& evaluator, const Work& work) {
  EvaluationProgress progress(stderr);
  evaluator.watch([&](double done, std::size_t points) { progress.stand(done, points); });
  auto made = work();
  evaluator.watch({});
  return made;
}

void print_accuracies(Evaluator& evaluator, const Checkpoint& checkpoint, const EvaluateOptions& options) {
  const std::vector<Accuracy> values =
      watched(evaluator, [&] { return evaluator.evaluate(checkpoint.state.global, options.grid); });
  if (options.json)
    fmt::print("{}\n", accuracies_json(values));
  else
    fmt::print("{}: round {}, accuracy in % on the test examples, by width of the weights\n{}", options.checkpoint,
               checkpoint.state.version, accuracy_table(values));
}

void print_classes(Evaluator& evaluator, const Federation& federation, const Checkpoint& checkpoint,
                   const EvaluateOptions& options) {
  const std::optional<std::vector<ClassAccuracy>> classes = watched(
      evaluator, [&] { return evaluate_classes(evaluator, checkpoint.state.global, federation, options.grid); });
  if (options.json)
    fmt::print("{}\n", classes_json(*classes));
  else
    fmt::print("{}: round {}, {}", options.checkpoint, checkpoint.state.version, class_table(*classes));
}

int evaluate_checkpoint(EvaluateOptions options) {
  options.machine.apply();
  refuse_folder(options.checkpoint);
  Checkpoint checkpoint = read_checkpoint(options.checkpoint);
  const std::vector<std::string> directories = data_directories(options.machine.data_directory);
  if (options.classes) go_by_run(checkpoint, directories, options);
  const Federation federation = make_federation(scenario_of(checkpoint, options, directories), directories);
  if (checkpoint.layout != federation.training.layout->digest()) refuse_data(options.checkpoint, *federation.data);
  attach_layout(checkpoint, federation.training.layout, options.checkpoint);
  if (options.classes) refuse_classes(federation, options.checkpoint);
  check_activations(federation, options);
  if (const std::string other =
          data_difference(record_of_examples(checkpoint.data), data_record(federation.data->checksums));
      !other.empty())
    tell(fmt::format("{}: the data is not that of its training: {}", options.checkpoint, other));
  Evaluator evaluator(federation.training.network, *federation.data, options.machine.worker_threads(),
                      federation.training.method);
  if (options.classes)
    print_classes(evaluator, federation, checkpoint, options);
  else
    print_accuracies(evaluator, checkpoint, options);
  return 0;
}

CLI::Validator width_check(bool or_zero = false) {
  return CLI::Validator(
      [or_zero](std::string& text) {
        int width = 0;
        const bool fits = CLI::detail::lexical_cast(text, width) && (is_width(width) || (or_zero && width == 0));
        return fits ? std::string() : "width " + text + " is not 2 to 16, or 32 for float";
      },
      "WIDTH");
}

}  // namespace

void add_evaluate_command(CLI::App& program, Chosen& chosen) {
  auto options = std::make_shared<EvaluateOptions>();
  EvaluationGrid& grid = options->grid;
  grid.weights = {kFloatWidth, 8, 6, 4, 3, 2};
  grid.where = {"evaluate", 0};
  grid.range_where = {"--range", 0};
  CLI::App& command = *program.add_subcommand("evaluate", "Test a checkpoint at bit widths");
  command.add_option("checkpoint", options->checkpoint, "Checkpoint or model.ckpt")->required();
  CLI::Option* weights =
      command.add_option("--weights", grid.weights, "Widths of the weights (default: 32,8,6,4,3,2); 32 is float")
          ->delimiter(',')
          ->check(width_check());
  command.add_option("--activations", grid.activations, "Widths of the activations, e.g. 32,8 (default: 32)")
      ->delimiter(',')
      ->check(width_check());
  command
      .add_option("--range", grid.range,
                  "Range rules of the weights, e.g. minmax,mse (default: minmax); trained: the method's own quantizers")
      ->delimiter(',');
  command.add_option("--granularity", grid.granularity, "tensor, channel or both (default: tensor)")
      ->delimiter(',')
      ->check(CLI::IsMember({"tensor", "channel"}));
  command.add_option("--first", grid.first, "Width of the first layer; 0: as the others")->check(width_check(true));
  command.add_option("--last", grid.last, "Width of the last layer; 0: as the others")->check(width_check(true));
  command
      .add_flag(
          "--classes", options->classes,
          "By class of the fleet, at each its own widths, on the data that the scenario deals out to its clients; "
          "by the first --range and --granularity. Of a checkpoint in its run's folder: as in the run's own table, but "
          "for what is given here")
      ->excludes(weights);
  command.add_flag("--json", options->json, "As a JSON array of objects");
  options->machine.add_to(command);
  options->asked = [&command](const char* name) { return command.count(name) > 0; };
  command.callback([options, &chosen] { chosen = [options] { return evaluate_checkpoint(*options); }; });
}

}  // namespace anybit
