#include <algorithm>
#include <filesystem>
#include <limits>

#include "scenarios/fleet_read.h"
#include "scenarios/option_types.h"
#include "scenarios/overrides.h"
#include "scenarios/scenario.h"
#include "scenarios/section_reader.h"

namespace anybit {
namespace {

constexpr double kMostLimit = 0x1p62;  // which is an integer of TOML, too
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostInt = std::numeric_limits<int>::max();
constexpr std::int64_t kMostClients = std::int64_t{1} << 31;  // the writers' numbers above are the server's
constexpr std::int64_t kMostHeld = 1 << 28;                   // of those numbers, for each of the server's shares
constexpr std::int64_t kMostCohort = (1 << 24) - 1;           // the exact sum's limit (DESIGN D7)

int to_int(std::int64_t value) { return static_cast<int>(value); }

Scenario::Data read_data(const TomlNode* node, Mistakes& mistakes) {
  SectionReader section(node, "data", mistakes);
  Scenario::Data data;
  data.where = section.where();
  data.set.name = section.text("set", std::nullopt);
  data.set.where = section.where("set");
  data.clients = static_cast<std::uint32_t>(section.integer("clients", {1, kMostClients}, std::nullopt));
  data.partition = section.part("partition", "iid");
  data.proxy = section.integer("proxy", {0, kMostHeld}, 0);
  data.validation = section.integer("validation", {0, kMostHeld}, 0);
  data.set.options = section.take_options();
  return data;
}

Scenario::Training read_training(const TomlNode* node, Mistakes& mistakes) {
  SectionReader section(node, "training", mistakes);
  Scenario::Training training;
  training.batch_where = section.where("batch");
  training.method = section.part("method", "fedavg");
  training.objective = section.part("objective", "plain");
  training.optimizer = section.part("optimizer", "sgd");
  training.epochs = to_int(section.integer("epochs", {1, kMostInt}, training.epochs));
  training.batch = to_int(section.integer("batch", {1, kMostInt}, training.batch));
  section.finish();
  return training;
}

RoundPolicy read_round_policy(SectionReader& section, int cohort) {
  RoundPolicy policy;
  policy.over_selection = section.number_within("over_selection", 1, 10, policy.over_selection);
  policy.deadline = section.number("deadline", 0.0, policy.deadline);
  policy.minimum = static_cast<std::uint32_t>(section.integer("minimum", {1, kMostCohort}, policy.minimum));
  policy.replace_until = section.number_within("replace_until", 0, 1, policy.replace_until);
  policy.give_up = static_cast<std::uint32_t>(section.integer("give_up", {1, kMostInt}, policy.give_up));
  policy.pace = section.number_within("pace", 0, 1, policy.pace);
  if (cohort > 0 && policy.minimum > static_cast<std::uint32_t>(cohort))
    section.refuse("minimum",
                   std::to_string(policy.minimum) + " is more than federation.cohort, " + std::to_string(cohort));
  if (policy.replace_until > 0 && policy.deadline == 0)
    section.refuse("replace_until", "it is a part of federation.deadline, and there is none; set that, too");
  return policy;
}

/// A round has no more clients than there are.
void refuse_too_many(SectionReader& section, const Scenario::Federation& federation, std::uint32_t clients) {
  const auto cohort = static_cast<std::uint64_t>(federation.cohort);
  const double over_selection = federation.policy.over_selection;
  const std::uint64_t selected = selected_clients(cohort, over_selection);
  const std::string limit = "more than data.clients, " + std::to_string(clients);
  if (clients == 0) return;
  if (cohort > clients)
    section.refuse("cohort", std::to_string(cohort) + " is " + limit);
  else if (selected > clients)
    section.refuse("over_selection", shortest_number(over_selection) + " times federation.cohort, " +
                                         std::to_string(cohort) + ", selects " + std::to_string(selected) +
                                         " clients, " + limit);
}

Scenario::Federation read_federation(const TomlNode* node, const Scenario::Data& data, Mistakes& mistakes) {
  SectionReader section(node, "federation", mistakes);
  Scenario::Federation federation;
  federation.where = section.where();
  federation.deadline_where = section.where("deadline");
  federation.rounds = to_int(section.integer("rounds", {1, kMostInt}, std::nullopt));
  federation.cohort = to_int(section.integer("cohort", {1, kMostCohort}, std::nullopt));
  federation.aggregation = section.part("aggregation", "synchronous");
  federation.weighting = section.part("weighting", "examples");
  federation.strategy = section.part("strategy", "fedavg");
  federation.uplink = section.part("uplink", "float32");
  federation.downlink = section.part("downlink", "float32");
  federation.transport = section.choice("transport", federation.transport, {"memory", "tcp"});
  federation.policy = read_round_policy(section, federation.cohort);
  refuse_too_many(section, federation, data.clients);
  section.finish();
  return federation;
}

EvaluationGrid read_grid(SectionReader& section) {
  EvaluationGrid grid;
  grid.where = section.where();
  grid.weights = section.widths("weights", grid.weights);
  grid.activations = section.widths("activations", grid.activations);
  grid.range = section.texts("range", grid.range, {});
  grid.range_where = section.where("range");
  grid.granularity = section.texts("granularity", grid.granularity, {"tensor", "channel"});
  grid.first = section.width_or_zero("first");
  grid.last = section.width_or_zero("last");
  return grid;
}

Scenario::Evaluate read_evaluate(const TomlNode* node, Mistakes& mistakes) {
  SectionReader section(node, "evaluate", mistakes);
  Scenario::Evaluate evaluate;
  evaluate.every = to_int(section.integer("every", {0, kMostInt}, evaluate.every));
  evaluate.class_clients =
      static_cast<std::uint32_t>(section.integer("class_clients", {0, kMostClients}, evaluate.class_clients));
  evaluate.grid = read_grid(section);
  evaluate.final_grid = evaluate.grid;
  if (const TomlNode* last = section.section("final")) {
    SectionReader inner(last, "evaluate.final", mistakes);
    evaluate.has_final = true;
    evaluate.final_grid = read_grid(inner);
    inner.finish();
  }
  section.finish();
  return evaluate;
}

Scenario::Checkpoint read_checkpoint(const TomlNode* node, Mistakes& mistakes) {
  SectionReader section(node, "checkpoint", mistakes);
  Scenario::Checkpoint checkpoint;
  checkpoint.seconds = section.number("seconds", 0.0, checkpoint.seconds);
  checkpoint.keep = to_int(section.integer("keep", {1, kMostInt}, checkpoint.keep));
  section.finish();
  return checkpoint;
}

Scenario::Limits read_limits(const TomlNode* node, Mistakes& mistakes) {
  SectionReader section(node, "limits", mistakes);
  Scenario::Limits limits;
  limits.client_state_where = section.where("client_state");
  const auto read = [&](const char* key, std::int64_t fallback) {
    return static_cast<std::int64_t>(std::min(section.byte_count(key, static_cast<double>(fallback)), kMostLimit));
  };
  limits.client_state = read("client_state", limits.client_state);
  limits.client_memory = read("client_memory", limits.client_memory);
  section.finish();
  return limits;
}

bool leads_elsewhere(char letter) {
  const auto byte = static_cast<unsigned char>(letter);
  return letter == '/' || byte < 0x20 || byte == 0x7F;
}

/// It names the run's folder, so it must not lead elsewhere. Without one, the file's name serves as well as it can.
std::string read_name(SectionReader& top, const std::string& file) {
  std::string fallback = std::filesystem::path(file).stem().string();
  std::replace_if(fallback.begin(), fallback.end(), leads_elsewhere, '-');
  if (fallback.empty() || fallback.starts_with('.')) fallback.insert(0, "scenario");
  std::string name = top.text("name", fallback);
  if (name.empty() || name.starts_with('.') || std::any_of(name.begin(), name.end(), leads_elsewhere))
    top.refuse("name", "'" + name +
                           "' cannot name a run's folder: it must not be empty, start with '.' or hold '/' or "
                           "control characters");
  return name;
}

Scenario read_document(const TomlNode& document, OtherFiles files, Mistakes& mistakes) {
  SectionReader top(&document, "", mistakes);
  Scenario scenario;
  scenario.name = read_name(top, mistakes.file());
  scenario.seed = static_cast<std::uint64_t>(top.integer("seed", {0, kMost}, 1));
  scenario.data = read_data(top.section("data"), mistakes);
  scenario.model = top.part("model", std::nullopt);
  scenario.training = read_training(top.section("training"), mistakes);
  scenario.federation = read_federation(top.section("federation"), scenario.data, mistakes);
  scenario.fleet = read_fleet(top.section("fleet"), files, mistakes);
  scenario.evaluate = read_evaluate(top.section("evaluate"), mistakes);
  scenario.checkpoint = read_checkpoint(top.section("checkpoint"), mistakes);
  scenario.limits = read_limits(top.section("limits"), mistakes);
  top.finish();
  return scenario;
}

Scenario parse_scenario(const std::string& text, const std::vector<Override>& overrides, Mistakes& mistakes) {
  TomlNode document = parse_document(text, mistakes.file());
  for (const Override& change : overrides) mistakes.check([&] { apply_override(document, change); });
  return read_document(document, OtherFiles::kRead, mistakes);
}

/// What `read` returns; where that finds no TOML, nothing more can be found: throws the mistakes so far and this one.
Scenario read_or_throw_mistakes(Mistakes& mistakes, const std::function<Scenario()>& read) {
  try {
    return read();
  } catch (const ScenarioError& unreadable) {
    mistakes.add(unreadable);
    throw ScenarioErrors(mistakes.found());
  }
}

}  // namespace

Scenario parse_scenario(const std::string& text, const std::string& file, const std::vector<Override>& overrides) {
  Mistakes mistakes(file);
  Scenario scenario = read_or_throw_mistakes(mistakes, [&] { return parse_scenario(text, overrides, mistakes); });
  mistakes.throw_if_any();
  return scenario;
}

Scenario parse_scenario_within(const std::string& text, const std::string& file) {
  Mistakes mistakes(file);
  Scenario scenario = read_or_throw_mistakes(mistakes, [&] {
    TomlNode document = parse_document(text, file);
    place(document, {file, 0});
    return read_document(document, OtherFiles::kRefused, mistakes);
  });
  mistakes.throw_if_any();
  return scenario;
}

Scenario read_scenario(const std::vector<Override>& overrides, Mistakes& mistakes) {
  return read_or_throw_mistakes(mistakes,
                                [&] { return parse_scenario(read_toml_file(mistakes.file()), overrides, mistakes); });
}

Scenario read_scenario(const std::string& path, const std::vector<Override>& overrides) {
  Mistakes mistakes(path);
  Scenario scenario = read_scenario(overrides, mistakes);
  mistakes.throw_if_any();
  return scenario;
}

}  // namespace anybit
