#include "sim/resolve.h"

#include <fmt/format.h>

#include <algorithm>

#include "client/objectives/objective.h"
#include "data/datasets/dataset.h"
#include "data/partitions/partition.h"
#include "nn/models/model.h"
#include "nn/optimizers/optimizer.h"
#include "quant/method.h"
#include "quant/model_quantizer.h"
#include "server/strategies/strategy.h"
#include "sim/comma_list.h"
#include "wire/codec.h"

namespace anybit {
namespace {

/// Gathers mistakes so that the user sees all of them at once.
class Resolver {
 public:
  explicit Resolver(std::vector<std::string> mistakes) : mistakes_(std::move(mistakes)) {}

  template <class Family>
  bool resolve(const Family& table, Part& part) {
    if (part.name.empty()) return false;  // missing, and told by who read the file
    const std::size_t before = mistakes_.size();
    try {
      const RowInfo& row = table.row(part).info;
      const std::vector<std::string> dropped = drop_foreign_options(row, part);
      if (!dropped.empty())
        notes_.push_back(fmt::format("{} is now '{}': dropped what was written for the old one: {}",
                                     part.options.path(), part.name, comma_list(dropped)));
    } catch (const ScenarioError&) {
      // An unknown name: table.mistakes() says so below.
    }
    for (const std::string& mistake : table.mistakes(part)) mistakes_.push_back(mistake);
    if (mistakes_.size() != before) return false;
    part = table.resolve(part);
    return true;
  }

  /// For families whose makers need nothing else: lets the maker check the values too.
  template <class Family>
  void resolve_and_make(const Family& table, Part& part) {
    if (!resolve(table, part)) return;
    check([&] { (void)table.make(part); });
  }

  template <class Body>
  void check(const Body& body) {
    try {
      body();
    } catch (const ScenarioErrors& several) {
      mistakes_.insert(mistakes_.end(), several.lines().begin(), several.lines().end());
    } catch (const ScenarioError& mistake) {
      mistakes_.emplace_back(mistake.what());
    }
  }

  std::vector<std::string>& mistakes() { return mistakes_; }
  std::vector<std::string>& notes() { return notes_; }

 private:
  std::vector<std::string> mistakes_;
  std::vector<std::string> notes_;
};

void check_ranges(const EvaluationGrid& grid) {
  const std::vector<RowInfo>& rules = range_rules();
  for (const std::string& range : grid.range) {
    const auto is_it = [&](const RowInfo& rule) { return rule.name == range; };
    if (std::none_of(rules.begin(), rules.end(), is_it)) refuse_name("range rule", {range, Options(), grid.where}, rules);
  }
}

/// `mistakes` are those found before; with any, there is no scenario.
ResolvedScenario resolve_all(Scenario scenario, std::vector<std::string> mistakes) {
  Resolver resolver(std::move(mistakes));
  resolver.resolve(datasets(), scenario.data.set);
  resolver.resolve(partitions(), scenario.data.partition);
  resolver.resolve(models(), scenario.model);
  resolver.resolve_and_make(methods(), scenario.training.method);
  resolver.resolve_and_make(objectives(), scenario.training.objective);
  resolver.resolve_and_make(optimizers(), scenario.training.optimizer);
  resolver.resolve_and_make(strategies(), scenario.federation.strategy);
  resolver.resolve_and_make(codecs(), scenario.federation.uplink);
  resolver.resolve_and_make(codecs(), scenario.federation.downlink);
  resolver.check([&] { check_ranges(scenario.evaluate.grid); });
  if (scenario.evaluate.has_final) resolver.check([&] { check_ranges(scenario.evaluate.final_grid); });
  if (!resolver.mistakes().empty()) throw ScenarioErrors(std::move(resolver.mistakes()));
  return {std::move(scenario), std::move(resolver.notes())};
}

}  // namespace

ResolvedScenario resolve_scenario(Scenario scenario) { return resolve_all(std::move(scenario), {}); }

ResolvedScenario resolve_file(const std::string& path, const std::vector<std::string>& settings) {
  std::vector<Override> overrides;
  for (const std::string& setting : settings) overrides.push_back(parse_override(setting));
  std::vector<std::string> mistakes;
  Scenario scenario = read_scenario(path, overrides, mistakes);
  return resolve_all(std::move(scenario), std::move(mistakes));
}

}  // namespace anybit
