#include "server/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "data/availability/availability.h"
#include "data/data_error.h"
#include "data/datasets/dataset.h"
#include "data/partitions/partition.h"
#include "nn/models/model.h"
#include "nn/objectives/objective.h"
#include "nn/optimizers/optimizer.h"
#include "quant/method.h"
#include "quant/model_quantizer.h"
#include "scenarios/comma_list.h"
#include "server/aggregations/aggregation.h"
#include "server/federation.h"
#include "server/strategies/strategy.h"
#include "server/weightings/weighting.h"
#include "wire/codec.h"

namespace anybit {
namespace {

/// Stands for the images of a set whose files are not read: every model takes them.
constexpr Shape kUsualImage{32, 32, 3};
constexpr int kUsualClasses = 10;
/// Where no files are found: a set's options are checked without reading it.
const std::vector<std::string> kNowhere;

struct Images {
  Shape shape = kUsualImage;
  int classes = kUsualClasses;
  bool known = false;  // else they stand in, and nothing is said of sizes
};

/// Goes on with what is right: whatever depends on a key that a mistake is about is passed over.
class Resolver {
 public:
  Resolver(Scenario& scenario, Mistakes& mistakes) : scenario_(scenario), mistakes_(mistakes) {}

  void resolve_parts();
  /// What can only be said of parts together, or with their files.
  void check_together(const Images& images);
  void check_data(const std::vector<std::string>& directories);

  /// Of the set, where it does not come from files.
  Images images() const;
  std::vector<std::string>& notes() { return notes_; }

 private:
  /// Fills in the defaults of a part that is right, and says whether it is.
  template <class Family, class... Arguments>
  bool resolve(const Family& table, Part& part, const Arguments&... arguments);
  void check_memory(const Images& images);
  void check_range_names(const EvaluationGrid& grid, const std::string& path);
  void check_aggregation();

  Scenario& scenario_;
  Mistakes& mistakes_;
  std::vector<std::string> notes_;
  bool set_is_right_ = false;
};

template <class Family, class... Arguments>
bool Resolver::resolve(const Family& table, Part& part, const Arguments&... arguments) {
  if (part.name.empty()) return false;  // missing, and told by who read the file
  const std::size_t before = mistakes_.found().size();
  mistakes_.check([&] {
    const std::vector<std::string> dropped = drop_foreign_options(table.row(part).info, part);
    if (!dropped.empty())
      notes_.push_back(fmt::format("{} is now '{}': dropped what was written for the old one: {}", part.options.path(),
                                   part.name, comma_list(dropped)));
    const std::vector<ScenarioError> found = table.mistakes(part, arguments...);
    if (!found.empty()) throw ScenarioErrors(found);
    part = table.resolve(part);
  });
  return mistakes_.found().size() == before;
}

void Resolver::resolve_parts() {
  set_is_right_ = resolve(datasets(), scenario_.data.set, DatasetSource{scenario_.seed, kNowhere});
  resolve(partitions(), scenario_.data.partition);
  resolve(models(), scenario_.model, kUsualImage, kUsualClasses);
  resolve(methods(), scenario_.training.method);
  resolve(objectives(), scenario_.training.objective);
  resolve(optimizers(), scenario_.training.optimizer);
  if (resolve(aggregations(), scenario_.federation.aggregation)) check_aggregation();
  resolve(weightings(), scenario_.federation.weighting);
  resolve(strategies(), scenario_.federation.strategy);
  resolve(codecs(), scenario_.federation.uplink);
  resolve(codecs(), scenario_.federation.downlink);
  for (FleetClass& one : scenario_.fleet) resolve(availabilities(), one.availability, AvailabilitySource{});
  check_range_names(scenario_.evaluate.grid, "evaluate.range");
  if (scenario_.evaluate.has_final) check_range_names(scenario_.evaluate.final_grid, "evaluate.final.range");
}

void Resolver::check_range_names(const EvaluationGrid& grid, const std::string& path) {
  const std::vector<RowInfo>& rules = range_rules();
  for (const std::string& range : grid.range) {
    const auto is_it = [&](const RowInfo& rule) { return rule.name == range; };
    if (std::any_of(rules.begin(), rules.end(), is_it)) continue;
    mistakes_.check([&] { refuse_name("range rule", {range, Options(path), grid.range_where}, rules); });
  }
}

/// The policy of rounds is of synchronous ones, but for the deadline.
void Resolver::check_aggregation() {
  const Scenario::Federation& federation = scenario_.federation;
  const Part& part = federation.aggregation;
  const std::optional<Asynchrony> asynchrony = aggregations().make(part);
  if (!asynchrony || mistakes_.about("federation")) return;
  const auto refuse = [&](const std::string& key, const std::string& reason) {
    mistakes_.add(key_mistake(part.where, "federation." + key, reason));
  };
  const RoundPolicy& policy = federation.policy;
  const std::string of_rounds = "is of synchronous rounds, and '" + part.name + "' is asynchronous: leave it out";
  if (policy.over_selection != 1) refuse("over_selection", of_rounds);
  if (policy.minimum != 1) refuse("minimum", of_rounds);
  if (policy.replace_until != 0) refuse("replace_until", of_rounds);
  if (!asynchrony->weighted && federation.weighting.name != "examples")
    refuse("weighting",
           asynchrony->mixing
               ? "'" + part.name + "' joins one update at a time and weighs none: leave it out"
               : "'" + part.name + "' counts all updates alike: give it weighted = true, or leave this out");
  if (asynchrony->mixing && federation.cohort != 1)
    refuse("cohort", "'" + part.name + "' makes a version of each update: set it to 1");
  const std::uint64_t needed =
      std::uint64_t{asynchrony->concurrency} + static_cast<std::uint64_t>(federation.cohort) - 1;
  if (needed > scenario_.data.clients && scenario_.data.clients > 0)
    refuse("aggregation.concurrency",
           fmt::format("{} at work and {} whose updates wait for the version's last are more than data.clients, {}",
                       asynchrony->concurrency, federation.cohort - 1, scenario_.data.clients));
}

Images Resolver::images() const {
  if (!set_is_right_) return {};
  try {
    const Dataset set = datasets().make(scenario_.data.set, {scenario_.seed, kNowhere});
    return {set.shape, set.classes, true};
  } catch (const DataError&) {
    return {};  // a set of files
  }
}

void Resolver::check_together(const Images& images) {
  if (mistakes_.about("model") || mistakes_.about("training.method")) return;
  mistakes_.check([&] {
    Scenario judged = scenario_;
    if (mistakes_.about("fleet")) judged.fleet.clear();
    const NetworkPlan trained = make_network_plan(judged, images.shape, images.classes);
    if (images.known && !mistakes_.about("training.batch")) check_size(scenario_, trained, mistakes_);
    if (mistakes_.about("data.proxy")) return;
    const auto check = [&](const EvaluationGrid& grid, const std::string& path) {
      for (const char* key : {".weights", ".activations", ".range", ".granularity", ".first", ".last"})
        if (mistakes_.about(path + key)) return;
      check_grid(grid, scenario_, trained, mistakes_);
    };
    if (scenario_.evaluate.uses_grid()) check(scenario_.evaluate.grid, "evaluate");
    if (scenario_.evaluate.has_final) check(scenario_.evaluate.final_grid, "evaluate.final");
  });
  check_memory(images);
}

/// Devices that cannot hold a task.
void Resolver::check_memory(const Images& images) {
  for (const char* key : {"fleet", "model", "training", "federation"})
    if (mistakes_.about(key)) return;
  const auto is_limited = [](const FleetClass& one) { return one.memory > 0; };
  if (!images.known || std::ranges::none_of(scenario_.fleet, is_limited)) return;
  mistakes_.check([&] { check_fleet(scenario_, make_plan(scenario_, images.shape, images.classes), mistakes_); });
}

void Resolver::check_data(const std::vector<std::string>& directories) {
  if (!mistakes_.about("fleet") && !mistakes_.about("data.clients") && !mistakes_.about("seed"))
    mistakes_.check([&] { (void)make_fleet(scenario_, directories); });
  const Part& set = scenario_.data.set;
  if (set.name.empty() || mistakes_.about("seed")) return;
  mistakes_.check([&] {
    if (mistakes_.about("data")) {  // nothing can be dealt out, but files can be missing, whatever the options are
      (void)load_set({set.name, Options(set.options.path()), set.where}, {scenario_.seed, directories});
      return;
    }
    const std::unique_ptr<const FederatedData> data = load_checked_data(scenario_, directories);
    check_together({data->shape, data->classes, true});
  });
}

/// `mistakes` are those found before; with any, there is no scenario.
ResolvedScenario resolve_all(Scenario scenario, Mistakes& mistakes, const std::vector<std::string>& directories) {
  Resolver resolver(scenario, mistakes);
  resolver.resolve_parts();
  resolver.check_together(resolver.images());
  // Loading takes its time: who goes on does it anyway, so only a scenario that is refused is loaded here.
  if (!mistakes.empty()) resolver.check_data(directories);
  mistakes.throw_if_any();
  return {std::move(scenario), std::move(resolver.notes())};
}

}  // namespace

ResolvedScenario resolve_scenario(Scenario scenario, const std::vector<std::string>& data_directories) {
  Mistakes mistakes;
  return resolve_all(std::move(scenario), mistakes, data_directories);
}

ResolvedScenario resolve_file(const std::string& path, const std::vector<std::string>& settings,
                              const std::vector<std::string>& data_directories) {
  Mistakes mistakes(path);
  std::vector<Override> overrides;
  for (const std::string& setting : settings) mistakes.check([&] { overrides.push_back(parse_override(setting)); });
  return resolve_all(read_scenario(overrides, mistakes), mistakes, data_directories);
}

}  // namespace anybit
