#include "sim/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/objectives/objective.h"
#include "data/data_error.h"
#include "data/datasets/dataset.h"
#include "data/partitions/partition.h"
#include "nn/models/model.h"
#include "nn/optimizers/optimizer.h"
#include "quant/method.h"
#include "quant/model_quantizer.h"
#include "scenarios/comma_list.h"
#include "server/strategies/strategy.h"
#include "sim/federation.h"
#include "wire/codec.h"

namespace anybit {
namespace {

/// Stands for the images of a set whose files are not read yet: every model takes them.
constexpr Shape kUsualImage{32, 32, 3};
constexpr int kUsualClasses = 10;

struct Images {
  Shape shape = kUsualImage;
  int classes = kUsualClasses;
};

/// Gathers mistakes so that the user sees all of them at once.
class Resolver {
 public:
  explicit Resolver(std::vector<ScenarioError> mistakes) : mistakes_(std::move(mistakes)) {}

  /// Whether the part is known and all its options are.
  template <class Family>
  bool resolve(const Family& table, Part& part) {
    if (part.name.empty()) return false;  // missing, and told by who read the file
    return check([&] {
      const RowInfo& row = table.row(part).info;
      const std::vector<std::string> dropped = drop_foreign_options(row, part);
      if (!dropped.empty())
        notes_.push_back(fmt::format("{} is now '{}': dropped what was written for the old one: {}",
                                     part.options.path(), part.name, comma_list(dropped)));
      const std::vector<ScenarioError> found = table.mistakes(part);
      if (!found.empty()) throw ScenarioErrors(found);
      part = table.resolve(part);
    });
  }

  /// The same, and lets the maker check the values.
  template <class Family, class... Arguments>
  bool resolve_and_make(const Family& table, Part& part, Arguments&&... arguments) {
    return resolve(table, part) && check([&] { (void)table.make(part, std::forward<Arguments>(arguments)...); });
  }

  /// Whether the body finds nothing wrong.
  template <class Body>
  bool check(const Body& body) {
    try {
      body();
      return true;
    } catch (const ScenarioErrors& several) {
      mistakes_.insert(mistakes_.end(), several.mistakes().begin(), several.mistakes().end());
    } catch (const ScenarioError& mistake) {
      mistakes_.push_back(mistake);
    }
    return false;
  }

  void throw_if_any() const {
    if (!mistakes_.empty()) throw ScenarioErrors(mistakes_);
  }
  std::vector<std::string>& notes() { return notes_; }

 private:
  std::vector<ScenarioError> mistakes_;
  std::vector<std::string> notes_;
};

void check_range_names(const EvaluationGrid& grid) {
  const std::vector<RowInfo>& rules = range_rules();
  for (const std::string& range : grid.range) {
    const auto is_it = [&](const RowInfo& rule) { return rule.name == range; };
    if (std::none_of(rules.begin(), rules.end(), is_it)) refuse_name("range rule", {range, Options(), grid.where}, rules);
  }
}

/// Checks the set's values without its files: whether those are there shows when they are loaded.
Images resolve_images(Resolver& resolver, Scenario& scenario) {
  Images images;
  if (!resolver.resolve(datasets(), scenario.data.set)) return images;
  resolver.check([&] {
    try {
      const Dataset set = datasets().make(scenario.data.set, {scenario.seed, {}});
      images = {set.shape, set.classes};
    } catch (const DataError&) {
      // A set of files.
    }
  });
  return images;
}

/// Whether each part is right by itself.
bool resolve_parts(Resolver& resolver, Scenario& scenario, const Images& images) {
  bool right = resolver.resolve_and_make(partitions(), scenario.data.partition);
  right &= resolver.resolve(models(), scenario.model) && resolver.check([&] {
    try {
      (void)models().make(scenario.model, images.shape, images.classes);
    } catch (const std::invalid_argument& mistake) {
      throw ScenarioError(scenario.model.where, "model '" + scenario.model.name + "': " + mistake.what());
    }
  });
  right &= resolver.resolve_and_make(methods(), scenario.training.method);
  right &= resolver.resolve_and_make(objectives(), scenario.training.objective);
  right &= resolver.resolve_and_make(optimizers(), scenario.training.optimizer);
  right &= resolver.resolve_and_make(strategies(), scenario.federation.strategy);
  right &= resolver.resolve_and_make(codecs(), scenario.federation.uplink);
  right &= resolver.resolve_and_make(codecs(), scenario.federation.downlink);
  return right;
}

/// What can only be said of parts together.
void check_together(Resolver& resolver, const Scenario& scenario, const Images& images) {
  resolver.check([&] {
    const TrainingPlan plan = make_plan(scenario, images.shape, images.classes);
    resolver.check([&] { check_grid(scenario.evaluate.grid, scenario, plan); });
    if (scenario.evaluate.has_final) resolver.check([&] { check_grid(scenario.evaluate.final_grid, scenario, plan); });
  });
}

/// `mistakes` are those found before; with any, there is no scenario.
ResolvedScenario resolve_all(Scenario scenario, std::vector<ScenarioError> mistakes) {
  Resolver resolver(std::move(mistakes));
  const Images images = resolve_images(resolver, scenario);
  bool right = resolve_parts(resolver, scenario, images);
  right &= resolver.check([&] { check_range_names(scenario.evaluate.grid); });
  if (scenario.evaluate.has_final) right &= resolver.check([&] { check_range_names(scenario.evaluate.final_grid); });
  if (right) check_together(resolver, scenario, images);
  resolver.throw_if_any();
  return {std::move(scenario), std::move(resolver.notes())};
}

}  // namespace

ResolvedScenario resolve_scenario(Scenario scenario) { return resolve_all(std::move(scenario), {}); }

ResolvedScenario resolve_file(const std::string& path, const std::vector<std::string>& settings) {
  std::vector<ScenarioError> mistakes;
  std::vector<Override> overrides;
  for (const std::string& setting : settings) {
    try {
      overrides.push_back(parse_override(setting));
    } catch (const ScenarioError& mistake) {
      mistakes.push_back(mistake);
    }
  }
  Scenario scenario = read_scenario(path, overrides, mistakes);
  return resolve_all(std::move(scenario), std::move(mistakes));
}

}  // namespace anybit
