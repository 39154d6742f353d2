#include <array>
#include <utility>

#include "scenarios/option_types.h"
#include "scenarios/scenario.h"

namespace anybit {
namespace {

/// Grows a TOML text a key a line, sections parted by an empty line.
class TomlText {
 public:
  void header(const std::string& line) { text_ += (text_.empty() ? "" : "\n") + line + "\n"; }
  void key(const std::string& name, const OptionValue& value) {
    text_ += toml_key(name) + " = " + to_toml(value) + "\n";
  }
  void options(const Options& options) {
    for (const Options::Entry& entry : options.entries()) key(entry.key, entry.value);
  }
  void part(const std::string& path, const Part& part) {
    header("[" + path + "]");
    key("name", part.name);
    options(part.options);
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

OptionValue number(std::int64_t value) { return value; }

OptionValue list(const std::vector<int>& values) { return std::vector<std::int64_t>(values.begin(), values.end()); }

void write_data(const Scenario::Data& data, TomlText& out) {
  out.header("[data]");
  out.key("set", data.set.name);
  out.options(data.set.options);
  out.key("clients", number(data.clients));
  out.key("proxy", data.proxy);
  out.key("validation", data.validation);
  out.part("data.partition", data.partition);
}

void write_training(const Scenario::Training& training, TomlText& out) {
  out.header("[training]");
  out.key("epochs", number(training.epochs));
  out.key("batch", number(training.batch));
  out.part("training.method", training.method);
  out.part("training.objective", training.objective);
  out.part("training.optimizer", training.optimizer);
}

void write_federation(const Scenario::Federation& federation, bool with_transport, TomlText& out) {
  out.header("[federation]");
  out.key("rounds", number(federation.rounds));
  out.key("cohort", number(federation.cohort));
  out.key("over_selection", federation.policy.over_selection);
  out.key("deadline", federation.policy.deadline);
  out.key("minimum", number(federation.policy.minimum));
  out.key("replace_until", federation.policy.replace_until);
  out.key("give_up", number(federation.policy.give_up));
  out.key("pace", federation.policy.pace);
  if (with_transport) out.key("transport", federation.transport);
  out.part("federation.aggregation", federation.aggregation);
  out.part("federation.weighting", federation.weighting);
  out.part("federation.strategy", federation.strategy);
  out.part("federation.uplink", federation.uplink);
  out.part("federation.downlink", federation.downlink);
}

using NamedNumber = std::pair<const char*, double>;

std::array<NamedNumber, 11> numbers_of(const FleetClass& one) {
  return {{{"compute", one.compute},
           {"compute_spread", one.compute_spread},
           {"memory", one.memory},
           {"down", one.down},
           {"up", one.up},
           {"link_spread", one.link_spread},
           {"latency", one.latency},
           {"energy_flop", one.energy_flop},
           {"energy_byte", one.energy_byte},
           {"idle_power", one.idle_power},
           {"drop_out", one.drop_out}}};
}

void write_fleet(const std::vector<FleetClass>& fleet, TomlText& out) {
  for (const FleetClass& one : fleet) {
    out.header("[[fleet.class]]");
    out.key("name", one.name);
    out.key("share", one.share);
    out.key("widths", list(one.widths));
    for (const auto& [name, value] : numbers_of(one)) out.key(name, value);
    out.part("fleet.class.availability", one.availability);
  }
}

void write_grid(const EvaluationGrid& grid, TomlText& out) {
  out.key("weights", list(grid.weights));
  out.key("activations", list(grid.activations));
  out.key("range", grid.range);
  out.key("granularity", grid.granularity);
  out.key("first", number(grid.first));
  out.key("last", number(grid.last));
}

void write_evaluate(const Scenario::Evaluate& evaluate, TomlText& out) {
  out.header("[evaluate]");
  out.key("every", number(evaluate.every));
  out.key("class_clients", number(evaluate.class_clients));
  write_grid(evaluate.grid, out);
  if (!evaluate.has_final) return;
  out.header("[evaluate.final]");
  write_grid(evaluate.final_grid, out);
}

void write_results(const Scenario& scenario, bool with_transport, TomlText& out) {
  out.key("seed", number(static_cast<std::int64_t>(scenario.seed)));
  write_data(scenario.data, out);
  out.part("model", scenario.model);
  write_training(scenario.training, out);
  write_federation(scenario.federation, with_transport, out);
  write_fleet(scenario.fleet, out);
}

}  // namespace

std::string write_scenario(const Scenario& scenario) {
  TomlText out;
  out.key("name", scenario.name);
  write_results(scenario, true, out);
  write_evaluate(scenario.evaluate, out);
  out.header("[checkpoint]");
  out.key("seconds", scenario.checkpoint.seconds);
  out.key("keep", number(scenario.checkpoint.keep));
  out.header("[limits]");
  out.key("client_state", number(scenario.limits.client_state));
  out.key("client_memory", number(scenario.limits.client_memory));
  return out.text();
}

std::string options_text(const Options& options) {
  TomlText out;
  out.options(options);
  return out.text();
}

std::string result_bearing_text(const Scenario& scenario) {
  TomlText out;
  write_results(scenario, false, out);
  return out.text();
}

}  // namespace anybit
