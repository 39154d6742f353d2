#include "scenarios/scenario.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/scenarios/scenario_fixtures.h"

namespace anybit {
namespace {

const std::string kFolder = std::string(ANYBIT_SOURCE_DIR) + "/scenarios/";

TEST(ReadScenario, DefaultsOfTheSmallest) {
  const Scenario scenario = read(kSmallest);
  EXPECT_EQ(scenario.name, "a");
  EXPECT_EQ(scenario.seed, 1U);
  EXPECT_EQ(scenario.data.set.name, "glyphs");
  EXPECT_EQ(scenario.data.clients, 20U);
  EXPECT_EQ(scenario.data.partition.name, "iid");
  EXPECT_EQ(scenario.data.proxy, 0);
  EXPECT_EQ(scenario.model.name, "mlp");
  EXPECT_EQ(scenario.training.method.name, "fedavg");
  EXPECT_EQ(scenario.training.objective.name, "plain");
  EXPECT_EQ(scenario.training.optimizer.name, "sgd");
  EXPECT_EQ(scenario.training.epochs, 1);
  EXPECT_EQ(scenario.training.batch, 32);
  EXPECT_EQ(scenario.federation.strategy.name, "fedavg");
  EXPECT_EQ(scenario.federation.uplink.name, "float32");
  EXPECT_EQ(scenario.federation.downlink.name, "float32");
  EXPECT_EQ(scenario.federation.transport, "memory");
  EXPECT_TRUE(scenario.fleet.empty());
  EXPECT_EQ(scenario.evaluate.every, 0);
  EXPECT_EQ(scenario.evaluate.class_clients, 100U);
  EXPECT_EQ(scenario.evaluate.grid.weights, std::vector<int>{32});
  EXPECT_EQ(scenario.evaluate.grid.activations, std::vector<int>{32});
  EXPECT_EQ(scenario.evaluate.grid.range, Lines{"minmax"});
  EXPECT_EQ(scenario.evaluate.grid.granularity, Lines{"tensor"});
  EXPECT_FALSE(scenario.evaluate.has_final);
  EXPECT_EQ(scenario.checkpoint.seconds, 5.0);
  EXPECT_EQ(scenario.checkpoint.keep, 2);
  EXPECT_EQ(scenario.limits.client_state, 16000000000);
  EXPECT_EQ(scenario.limits.client_memory, 256000000);
}

TEST(ReadScenario, LimitsAreBytes) {
  const Scenario scenario = read(kSmallest + "[limits]\nclient_state = \"1.5GiB\"\nclient_memory = 1000.7\n");
  EXPECT_EQ(scenario.limits.client_state, 1610612736);
  EXPECT_EQ(scenario.limits.client_memory, 1000) << "whole ones";
  EXPECT_EQ(scenario.limits.client_state_where.line, 10);
  for (const char* none : {"0", "0MB"})
    EXPECT_EQ(read(kSmallest, {{"limits.client_memory", none}}).limits.client_memory, 0);
  EXPECT_EQ(mistakes_of(kSmallest + "[limits]\nclient_state = 1e19\nclient_memory = 9.2e18\n"),
            Lines{"a.toml:10: limits.client_state: 1e+19 is out of range; accepted: at most 2^63 bytes"});
  EXPECT_EQ(read(kSmallest, {{"limits.client_memory", "64MB"}}).limits.client_memory, 64000000);
  EXPECT_EQ(
      mistakes_of(kSmallest + "[limits]\nclient_state = -1\nclient_memory = \"lots\"\ndisk = 3\n"),
      (Lines{"a.toml:10: limits.client_state: -1.0 is out of range; accepted: finite and at least 0.0",
             "a.toml:11: limits.client_memory: 'lots' is no number of bytes; accepted: a number, or one of B, kB, "
             "MB, GB, MiB, GiB, as in 512MB",
             "a.toml:12: unknown key 'disk' in [limits]; known: client_state, client_memory"}));
}

TEST(ReadScenario, InlineTablesSubsectionsAndNamesAreTheSame) {
  const Scenario inlined = read(kSmallest + "[training]\noptimizer = { name = \"adam\", rate = 0.05 }\n");
  const Scenario sections = read(kSmallest + "[training.optimizer]\nname = \"adam\"\nrate = 0.05\n");
  EXPECT_EQ(write_scenario(inlined), write_scenario(sections));
  EXPECT_EQ(sections.training.optimizer.where.line, 10);
  EXPECT_EQ(read(kSmallest + "[training]\noptimizer = \"adam\"\n").training.optimizer.name, "adam");
}

TEST(ReadScenario, APartWithoutNameIsTheDefaultRow) {
  const Scenario scenario = read(kSmallest + "[training.optimizer]\nrate = 0.1\n");
  EXPECT_EQ(scenario.training.optimizer.name, "sgd");
  EXPECT_EQ(scenario.training.optimizer.options.number("rate"), 0.1);
}

TEST(ReadScenario, OtherKeysOfDataBelongToTheSet) {
  const Scenario scenario = read(
      "data = { set = \"glyphs\", clients = 3, classes = 62, proxy = 9 }\n"
      "model = \"mlp\"\nfederation = { rounds = 1, cohort = 3 }\n");
  ASSERT_EQ(scenario.data.set.options.entries().size(), 1U);
  EXPECT_EQ(scenario.data.set.options.integer("classes"), 62);
  EXPECT_EQ(scenario.data.set.options.find("classes")->where.line, 1);
  EXPECT_EQ(scenario.data.proxy, 9);
}

TEST(ReadScenario, OptionsBeyondAThousandAreOneMistake) {
  std::string options;
  for (int i = 0; i < 1002; ++i) options.append("k").append(std::to_string(i)).append(" = 1\n");
  EXPECT_EQ(mistakes_of("[data]\nset = \"glyphs\"\nclients = 20\n[federation]\nrounds = 3\ncohort = 5\n"
                        "[model]\nname = \"mlp\"\n" +
                        options),
            Lines{"a.toml:1009: model.k1000: there are more than 1000 options; nothing has so many"});
}

TEST(ReadScenario, FinalGridHasDefaultsOfItsOwn) {
  const Scenario scenario =
      read(kSmallest + "[evaluate]\nweights = [4, 2]\nrange = \"mse\"\n[evaluate.final]\nactivations = 8\nfirst = 8\n");
  EXPECT_EQ(scenario.evaluate.grid.range, Lines{"mse"});
  EXPECT_EQ(scenario.evaluate.grid.first, 0);
  EXPECT_TRUE(scenario.evaluate.has_final);
  EXPECT_EQ(scenario.evaluate.final_grid.weights, std::vector<int>{32});
  EXPECT_EQ(scenario.evaluate.final_grid.activations, std::vector<int>{8});
  EXPECT_EQ(scenario.evaluate.final_grid.range, Lines{"minmax"});
  EXPECT_EQ(scenario.evaluate.final_grid.first, 8);
}

TEST(ReadScenario, AllMistakesAtOnceByLine) {
  const std::string text =
      "sed = 1\n"
      "[data]\n"
      "set = 3\n"
      "clients = -1\n"
      "proxy = 1.5\n"
      "[training]\n"
      "batch = 0\n"
      "[federation]\n"
      "rounds = 0\n"
      "cohrt = 5\n"
      "[evaluate]\n"
      "granularity = \"row\"\n";
  EXPECT_EQ(mistakes_of(text, {{"checkpoint.keep", "0"}}),
            (Lines{"a.toml:1: model.name: is missing", "a.toml:1: unknown key 'sed'; did you mean 'seed'?",
                   "a.toml:3: data.set: expected text, not an integer",
                   "a.toml:4: data.clients: -1 is out of range; accepted: 1 to 2147483648",
                   "a.toml:5: data.proxy: expected an integer, not a number",
                   "a.toml:7: training.batch: 0 is out of range; accepted: 1 to 2147483647",
                   "a.toml:8: federation.cohort: is missing",
                   "a.toml:9: federation.rounds: 0 is out of range; accepted: 1 to 2147483647",
                   "a.toml:10: unknown key 'cohrt' in [federation]; did you mean 'cohort'?",
                   "a.toml:12: evaluate.granularity: unknown 'row'; known: tensor, channel",
                   "--set checkpoint.keep: 0 is out of range; accepted: 1 to 2147483647"}));
}

TEST(ReadScenario, CohortIsNoLargerThanClients) {
  EXPECT_EQ(mistakes_of(kSmallest, {{"data.clients", "4"}}),
            Lines{"a.toml:8: federation.cohort: 5 is more than data.clients, 4"});
  EXPECT_EQ(mistakes_of(kSmallest, {{"data.clients", "5"}}), Lines{});
  EXPECT_EQ(mistakes_of(kSmallest, {{"data.clients", "few"}}),
            Lines{"--set data.clients: expected an integer, not text"});
}

TEST(ReadScenario, SharesOfTheFleetSumToOne) {
  const auto with_shares = [](const std::string& a, const std::string& b) {
    return kSmallest + "[[fleet.class]]\nname = \"a\"\nshare = " + a + "\nwidths = [8]\n" +
           "[[fleet.class]]\nname = \"b\"\nshare = " + b + "\nwidths = [32, 8]\n";
  };
  const Scenario scenario = read(with_shares("0.7", "0.3"));
  ASSERT_EQ(scenario.fleet.size(), 2U);
  EXPECT_EQ(scenario.fleet[1].name, "b");
  EXPECT_EQ(scenario.fleet[1].widths, (std::vector<int>{32, 8}));
  EXPECT_EQ(scenario.fleet[1].where.line, 13);
  EXPECT_EQ(mistakes_of(with_shares("0.5", "0.25")),
            Lines{"a.toml:9: the shares of all fleet classes sum to 0.75, not to 1"});
  EXPECT_EQ(mistakes_of(with_shares("-0.5", "1.5")),
            Lines{"a.toml:11: fleet.class.share: -0.5 is out of range; accepted: finite and at least 0.0"});
}

TEST(ReadScenario, ClassesOfTheFleetHaveNamesOfTheirOwn) {
  const std::string half = "[[fleet.class]]\nname = \"a\"\nshare = 0.5\nwidths = [8]\n";
  EXPECT_EQ(mistakes_of(kSmallest + half + half), Lines{"a.toml:13: two fleet classes are named 'a'"});
}

TEST(ReadScenario, AnEmptyFleetIsNone) {
  EXPECT_TRUE(read_scenario(kFolder + "quickstart.toml", {{"fleet.class", "[]"}}).fleet.empty());
}

TEST(ReadScenario, ClassesOfTheFleetAreWhole) {
  EXPECT_EQ(
      mistakes_of(kSmallest + "[[fleet.class]]\nname = \"a\"\nshare = 1.0\nspeed = 2\n"),
      (Lines{"a.toml:9: fleet.class.widths: is missing",
             "a.toml:12: unknown key 'speed' in [fleet.class]; known: name, share, widths, compute, compute_spread, "
             "memory, down, up, link_spread, latency, energy_flop, energy_byte, idle_power, drop_out, "
             "availability"}));
  EXPECT_EQ(mistakes_of(kSmallest + "[fleet]\nclass = 3\n"),
            Lines{"a.toml:10: fleet.class: expected tables headed [[fleet.class]], not an integer"});
}

TEST(ReadScenario, APartIsANameOrATable) {
  EXPECT_EQ(mistakes_of(kSmallest + "[training]\nmethod = 3\nobjective = { name = 2 }\n"),
            (Lines{"a.toml:10: training.method: expected text, not an integer",
                   "a.toml:11: training.objective.name: expected text, not an integer"}));
  EXPECT_EQ(mistakes_of(kSmallest + "[training.method]\nname = \"a\"\n[training.method.deep]\nx = 1\n"),
            Lines{"a.toml:11: training.method.deep: an option cannot be a table; known: name"});
}

TEST(ReadScenario, ANameCannotLeadOutOfItsFolder) {
  const std::string accepted =
      " cannot name a run's folder: it must not be empty, start with '.' or hold '/' or control characters";
  for (const char* name : {"../evil", "/tmp/evil", "a/b", ".", "..", ".hidden", "", "tab\\there"})
    EXPECT_EQ(mistakes_of(kSmallest, {{"name", std::string("\"").append(name).append("\"")}}).size(), 1U) << name;
  EXPECT_EQ(mistakes_of(kSmallest, {{"name", "../evil"}}), Lines{"--set name: '../evil'" + accepted});
  EXPECT_EQ(mistakes_of("name = \"a/b\"\n" + kSmallest), Lines{"a.toml:1: name: 'a/b'" + accepted});
  EXPECT_EQ(mistakes_of(kSmallest, {{"name", "Fashion at W4A8_v1.2-b (2) gr\u00f6\u00dfer"}}), Lines{});
}

TEST(ReadScenario, AnOptionIsNotNan) {
  EXPECT_EQ(
      mistakes_of(kSmallest, {{"training.optimizer.rate", "nan"}}),
      Lines{"--set training.optimizer.rate: nan cannot be used here; an option is a number, a text, true or false, "
            "or a list"});
}

TEST(ReadScenario, SeedsAreNotNegative) {
  EXPECT_EQ(mistakes_of(kSmallest, {{"seed", "-1"}}), Lines{"--set seed: -1 is out of range; accepted: at least 0"});
  EXPECT_EQ(read(kSmallest, {{"seed", "9223372036854775807"}}).seed, 9223372036854775807U);
}

TEST(ReadScenario, SyntaxErrorsHaveTheirLine) {
  const Lines found = mistakes_of("name = \"a\"\nseed = \n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(found[0].starts_with("a.toml:2: ")) << found[0];
}

TEST(ReadScenario, FilesThatCannotBeReadAreSaid) {
  const auto message_for = [](const std::string& path) -> std::string {
    try {
      read_scenario(path, {});
    } catch (const ScenarioErrors& errors) {
      return errors.what();
    }
    return "nothing thrown";
  };
  EXPECT_EQ(message_for("/nowhere/a.toml"), "/nowhere/a.toml: cannot be read: No such file or directory");
  EXPECT_EQ(message_for("/tmp"), "/tmp: is a directory, not a scenario file");
  EXPECT_EQ(message_for("/dev/zero"), "/dev/zero: is larger than a scenario can be (1 MiB)");
}

TEST(ReadScenario, EveryFileOfTheFolderReads) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    EXPECT_EQ(read_scenario(entry.path().string(), {}).name, entry.path().stem().string());
  }
  EXPECT_GE(files, 3);
}

TEST(ReadScenario, QuickstartSaysWhatTheManualSays) {
  const Scenario scenario = read_scenario(kFolder + "quickstart.toml", {});
  EXPECT_EQ(scenario.data.clients, 100U);
  EXPECT_EQ(scenario.data.partition.options.number("alpha"), 1.0);
  EXPECT_EQ(scenario.data.proxy, 1000);
  EXPECT_EQ(scenario.data.validation, 2000);
  EXPECT_EQ(scenario.training.method.options.integers("widths"), (std::vector<std::int64_t>{8, 6, 4, 3, 2}));
  EXPECT_EQ(scenario.federation.rounds, 60);
  EXPECT_EQ(scenario.fleet.size(), 2U);
  EXPECT_EQ(scenario.evaluate.final_grid.granularity, (Lines{"tensor", "channel"}));
}

}  // namespace
}  // namespace anybit
