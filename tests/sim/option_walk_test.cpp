// One walk over every table of the house: an option that changes nothing is no option.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <tuple>

#include "data/availability/availability.h"
#include "nn/random.h"
#include "quant/quantizers/range_rule.h"
#include "sim/families.h"
#include "tests/data/files.h"
#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

using NamedValues = std::vector<std::pair<std::string, OptionValue>>;

Part part(const std::string& name, const NamedValues& options) {
  Part made{name, Options("walk." + name), {"walk", 1}};
  for (const auto& [key, value] : options) made.options.set(key, value, {"walk", 1});
  return made;
}

/// Where a family's part stands in a scenario, and what else must be set for it.
void put(Scenario& scenario, const std::string& family, const Part& made) {
  if (family == "models") scenario.model = made;
  if (family == "datasets") scenario.data.set = made;
  if (family == "partitions") scenario.data.partition = made;
  if (family == "methods") scenario.training.method = made;
  if (family == "objectives") scenario.training.objective = made;
  if (family == "optimizers") scenario.training.optimizer = made;
  if (family == "strategies") scenario.federation.strategy = made;
  if (family == "codecs") scenario.federation.uplink = made;
  if (family == "aggregations") scenario.federation.aggregation = made;
  if (family == "weightings") scenario.federation.weighting = made;
  if (family == "downlinks") scenario.federation.downlink = made;
}

std::vector<std::string> directories() {
  std::vector<std::string> all = data_directories("");
  all.push_back(std::string(ANYBIT_SOURCE_DIR) + "/data-cache");
  return all;
}

bool has_files(const std::string& set) {
  for (const std::string& directory : directories())
    if (std::filesystem::exists(std::filesystem::path(directory) / set)) return true;
  return false;
}

/// Devices of which some take much longer than others, and versions enough for their updates to become stale.
void make_uneven(Scenario& scenario) {
  FleetClass device;
  device.name = "uneven";
  device.widths = {8};
  device.compute = 1e6;
  device.compute_spread = 1.5;
  scenario.fleet = {device};
  scenario.federation.rounds = 12;
  scenario.federation.cohort = scenario.federation.aggregation.name == "fedasync" ? 1 : 2;
}

std::vector<FleetClass> two_widths() {
  std::vector<FleetClass> classes(2);
  classes[0].name = "eight";
  classes[0].share = 0.5;
  classes[0].widths = {8};
  classes[1] = classes[0];
  classes[1].name = "two";
  classes[1].widths = {2};
  return classes;
}

/// Two rounds of two clients with three weighted layers, plain but for the one part.
FloatBuffer trained(const std::string& family, const Part& made) {
  Scenario scenario = tiny_scenario({"training.method.name=fedavg", "model.hidden=[16, 12]", "federation.rounds=2",
                                     "federation.cohort=2", "federation.uplink.name=float32", "data.proxy=0"});
  put(scenario, family, made);
  if (family == "aggregations") make_uneven(scenario);
  if (family == "weightings") scenario.fleet = two_widths();
  const Federation federation = make_federation(resolve_scenario(scenario, directories()).scenario, directories());
  return run_all(federation).global.values;
}

/// A range rule's answer to numbers with a long tail.
FloatBuffer fitted(const Part& made) {
  Stream stream({.seed = 3, .purpose = Purpose::kTest});
  std::vector<float> values(2000);
  for (float& value : values) value = static_cast<float>(stream.normal() * stream.normal());
  FitScratch scratch;
  FitRequest request{.bits = 4, .full_range = false, .log2_step = -2.0F};
  const UniformGrid grid = range_rule_table().make(made)->fit(values, request, scratch);
  return {grid.scale, grid.offset, static_cast<float>(grid.low), static_cast<float>(grid.high)};
}

/// When each of some clients can take part, and until when that holds, over two days.
FloatBuffer times_of(const Part& made) {
  const Folder folder;
  for (const auto& [file, line] :
       {std::pair("availability.csv", "0,500,900\n"), std::pair("weekend.csv", "0,600,700\n")})
    folder.write(file, Bytes(line, line + std::strlen(line)));
  std::vector<TraceFile> read;
  const auto is_member = [&](std::uint32_t client) { return made.name != "trace" || client == 0; };
  const AvailabilitySource source{
      .seed = 1, .clients = 30, .is_member = is_member, .beside = folder.path(), .files = &read};
  const auto when = availabilities().make(made, source);
  FloatBuffer times;
  for (std::uint32_t client = 0; client < (made.name == "trace" ? 1U : 30U); ++client)
    for (double time = 0; time < 172800; time += 7000)
      for (const double turn : {when->next(client, time), when->until(client, time)})
        times.push_back(static_cast<float>(turn));
  return times;
}

FloatBuffer result_of(const std::string& family, const std::string& row, const NamedValues& options) {
  const Part made = part(row, options);
  if (family == "availabilities") return times_of(made);
  return family == "quantizers" ? fitted(made) : trained(family, made);
}

bool same_bytes(const FloatBuffer& a, const FloatBuffer& b, std::size_t count) {
  return a.size() >= count && b.size() >= count && std::memcmp(a.data(), b.data(), count * sizeof(float)) == 0;
}

bool same_bytes(const FloatBuffer& a, const FloatBuffer& b) {
  return a.size() == b.size() && same_bytes(a, b, a.size());
}

struct Walked {
  std::string family;
  RowInfo row;
};

void PrintTo(const Walked& walked, std::ostream* out) { *out << walked.family << " " << walked.row.name; }

std::vector<Walked> all_rows() {
  std::vector<Walked> all;
  for (const std::string& family : family_names())
    for (const RowInfo& row : family_rows(family)) {
      all.push_back({family, row});
      if (family == "codecs") all.push_back({"downlinks", row});
    }
  return all;
}

class OptionWalk : public testing::TestWithParam<Walked> {};

TEST_P(OptionWalk, EveryAlternativeChangesTheResult) {
  const auto& [family, row] = GetParam();
  const bool from_files = family == "datasets" && row.name != "glyphs";
  if (from_files && !has_files(row.name)) GTEST_SKIP() << "no data: " << row.name;
  for (const OptionRow& option : row.options) {
    EXPECT_FALSE(option.fallback == option.alternative) << option.name << " has no second value";
    EXPECT_EQ(option.fallback.index(), option.alternative.index()) << option.name << ": values of two types";
    EXPECT_FALSE(option.help.empty()) << option.name;
    NamedValues with_default = option.alternative_with;
    NamedValues with_alternative = option.alternative_with;
    with_default.emplace_back(option.name, option.fallback);
    with_alternative.emplace_back(option.name, option.alternative);
    EXPECT_FALSE(same_bytes(result_of(family, row.name, with_default), result_of(family, row.name, with_alternative)))
        << family << " " << row.name << "." << option.name << " changes nothing";
  }
}

TEST_P(OptionWalk, NeutralOptionsEqualTheBaseRow) {
  const auto& [family, row] = GetParam();
  if (row.neutral.base.empty()) {
    const bool holds_data = family == "datasets" || family == "partitions";  // nothing that could be neutral
    EXPECT_TRUE(holds_data || !row.neutral.reason.empty())
        << row.name << " declares neither a neutral setting nor why not";
    return;
  }
  const FloatBuffer own = result_of(family, row.name, row.neutral.options);
  const FloatBuffer base = result_of(family, row.neutral.base, row.neutral.base_options);
  // A method's own tensors follow the network's, which are the base's.
  EXPECT_TRUE(same_bytes(own, base, std::min(own.size(), base.size())));
}

TEST_P(OptionWalk, SaysWhatItIs) { EXPECT_FALSE(GetParam().row.help.empty()); }

INSTANTIATE_TEST_SUITE_P(AllTables, OptionWalk, testing::ValuesIn(all_rows()),
                         [](const testing::TestParamInfo<Walked>& walked) {
                           std::string name = walked.param.family + "_" + walked.param.row.name;
                           for (char& c : name)
                             if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
                           return name;
                         });

struct PolicyKey {
  std::string key;
  std::string fallback;
  std::string alternative;
  std::vector<std::string> with;  // settings under which it acts
};

/// What a run of rounds in which clients fail comes to: rounds, version, parameters.
std::tuple<std::uint32_t, std::uint32_t, FloatBuffer> ends_in(std::vector<std::string> settings, const std::string& key,
                                                              const std::string& value) {
  settings.push_back(key + "=" + value);
  const FederationState state = run_all(tiny_federation(explosive_with(settings)));
  return {state.round, state.version, state.global.values};
}

// A deadline alone changes nothing here: without a fleet devices answer at once. That it ends rounds, and what pace
// does, is held by tests of virtual time; here it is what replacing takes its time from.
TEST(RoundPolicyWalk, EveryKeyChangesTheResult) {
  const std::vector<std::string> troubled = {"federation.cohort=3", "federation.minimum=2", "federation.rounds=2"};
  std::vector<std::string> hurried = troubled;
  hurried.emplace_back("federation.deadline=9");
  const std::vector<PolicyKey> keys = {{"federation.over_selection", "1", "1.5", troubled},
                                       {"federation.minimum", "1", "3", troubled},
                                       {"federation.replace_until", "0", "0.5", hurried},
                                       {"federation.give_up", "10", "1", troubled}};
  for (const PolicyKey& key : keys)
    EXPECT_NE(ends_in(key.with, key.key, key.fallback), ends_in(key.with, key.key, key.alternative)) << key.key;
}

TEST(OptionWalkItself, SeesAnOptionThatChangesNothing) {
  EXPECT_TRUE(same_bytes(result_of("methods", "kure", {{"lambda", 0.0}, {"target", 1.8}}),
                         result_of("methods", "kure", {{"lambda", 0.0}, {"target", 3.0}})));
}

}  // namespace
}  // namespace anybit
