#include <gtest/gtest.h>

#include <filesystem>

#include "tests/scenarios/scenario_fixtures.h"

namespace anybit {
namespace {

const std::string kOdd = kSmallest +
                         "[training.optimizer]\n"
                         "name = \"sgd \\\"odd\\\" \\\\ \\n \\u0001 \xE2\x82\xAC\"\n"
                         "rate = 0.30000000000000004\n"
                         "floor = 5e-324\n"
                         "ceiling = inf\n"
                         "zero = -0.0\n"
                         "flag = true\n"
                         "\"a key\" = [1.5, 2]\n"
                         "texts = [\"a\\tb\", \"\"]\n"
                         "none = []\n"
                         "[[fleet.class]]\nname = \"a\"\nshare = 0.1\nwidths = [8]\n"
                         "[[fleet.class]]\nname = \"b\"\nshare = 0.9\nwidths = [32, 2]\n"
                         "compute = 1e9\ncompute_spread = 0.1\nmemory = \"512MB\"\ndown = 2e6\nup = 1e6\n"
                         "link_spread = 0.2\nlatency = 0.05\nenergy_flop = 1e-10\nenergy_byte = 2e-7\n"
                         "idle_power = 1.5\ndrop_out = 0.125\navailability = { name = \"odd\", from = 8 }\n"
                         "[evaluate]\nclass_clients = 7\n[evaluate.final]\nweights = [2]\nlast = 8\n"
                         "[checkpoint]\nseconds = 0.1\n"
                         "[limits]\nclient_state = \"1.5GiB\"\nclient_memory = 0\n";

void expect_same_part(const Part& a, const Part& b) {
  EXPECT_EQ(a.name, b.name);
  ASSERT_EQ(a.options.entries().size(), b.options.entries().size());
  for (std::size_t i = 0; i < a.options.entries().size(); ++i) {
    EXPECT_EQ(a.options.entries()[i].key, b.options.entries()[i].key);
    EXPECT_EQ(a.options.entries()[i].value, b.options.entries()[i].value);
  }
}

void expect_same_grid(const EvaluationGrid& a, const EvaluationGrid& b) {
  EXPECT_EQ(a.weights, b.weights);
  EXPECT_EQ(a.activations, b.activations);
  EXPECT_EQ(a.range, b.range);
  EXPECT_EQ(a.granularity, b.granularity);
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.last, b.last);
}

void expect_same(const Scenario& a, const Scenario& b) {
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.seed, b.seed);
  expect_same_part(a.data.set, b.data.set);
  EXPECT_EQ(a.data.clients, b.data.clients);
  expect_same_part(a.data.partition, b.data.partition);
  EXPECT_EQ(a.data.proxy, b.data.proxy);
  EXPECT_EQ(a.data.validation, b.data.validation);
  expect_same_part(a.model, b.model);
  expect_same_part(a.training.method, b.training.method);
  expect_same_part(a.training.objective, b.training.objective);
  expect_same_part(a.training.optimizer, b.training.optimizer);
  EXPECT_EQ(a.training.epochs, b.training.epochs);
  EXPECT_EQ(a.training.batch, b.training.batch);
  EXPECT_EQ(a.federation.rounds, b.federation.rounds);
  EXPECT_EQ(a.federation.cohort, b.federation.cohort);
  EXPECT_EQ(a.federation.policy, b.federation.policy);
  expect_same_part(a.federation.strategy, b.federation.strategy);
  expect_same_part(a.federation.uplink, b.federation.uplink);
  expect_same_part(a.federation.downlink, b.federation.downlink);
  EXPECT_EQ(a.federation.transport, b.federation.transport);
  ASSERT_EQ(a.fleet.size(), b.fleet.size());
  for (std::size_t i = 0; i < a.fleet.size(); ++i) {
    EXPECT_EQ(a.fleet[i].name, b.fleet[i].name);
    EXPECT_EQ(a.fleet[i].share, b.fleet[i].share);
    EXPECT_EQ(a.fleet[i].widths, b.fleet[i].widths);
    EXPECT_EQ(a.fleet[i].compute, b.fleet[i].compute);
    EXPECT_EQ(a.fleet[i].compute_spread, b.fleet[i].compute_spread);
    EXPECT_EQ(a.fleet[i].memory, b.fleet[i].memory);
    EXPECT_EQ(a.fleet[i].down, b.fleet[i].down);
    EXPECT_EQ(a.fleet[i].up, b.fleet[i].up);
    EXPECT_EQ(a.fleet[i].link_spread, b.fleet[i].link_spread);
    EXPECT_EQ(a.fleet[i].latency, b.fleet[i].latency);
    EXPECT_EQ(a.fleet[i].energy_flop, b.fleet[i].energy_flop);
    EXPECT_EQ(a.fleet[i].energy_byte, b.fleet[i].energy_byte);
    EXPECT_EQ(a.fleet[i].idle_power, b.fleet[i].idle_power);
    EXPECT_EQ(a.fleet[i].drop_out, b.fleet[i].drop_out);
    expect_same_part(a.fleet[i].availability, b.fleet[i].availability);
  }
  EXPECT_EQ(a.evaluate.every, b.evaluate.every);
  EXPECT_EQ(a.evaluate.class_clients, b.evaluate.class_clients);
  EXPECT_EQ(a.evaluate.has_final, b.evaluate.has_final);
  expect_same_grid(a.evaluate.grid, b.evaluate.grid);
  expect_same_grid(a.evaluate.final_grid, b.evaluate.final_grid);
  EXPECT_EQ(a.checkpoint.seconds, b.checkpoint.seconds);
  EXPECT_EQ(a.checkpoint.keep, b.checkpoint.keep);
  EXPECT_EQ(a.limits.client_state, b.limits.client_state);
  EXPECT_EQ(a.limits.client_memory, b.limits.client_memory);
}

void expect_round_trip(const Scenario& scenario) {
  const std::string text = write_scenario(scenario);
  const Scenario back = read(text);
  expect_same(scenario, back);
  EXPECT_EQ(write_scenario(back), text);
}

TEST(WriteScenario, ReadsBackTheSame) {
  expect_round_trip(read(kSmallest));
  expect_round_trip(read(kOdd));
  expect_round_trip(read(
      kOdd, {{"federation.strategy", "a \"b\"\n[data]"}, {"federation.transport", "tcp"}, {"data.classes", "62"}}));
  expect_round_trip(read(kOdd, {{"federation.over_selection", "1.1"},
                                {"federation.deadline", "0.1"},
                                {"federation.minimum", "4"},
                                {"federation.replace_until", "0.7"},
                                {"federation.give_up", "3"},
                                {"federation.pace", "0.3"}}));
}

TEST(WriteScenario, EveryFileOfTheFolderReadsBackTheSame) {
  for (const auto& entry : std::filesystem::directory_iterator(std::string(ANYBIT_SOURCE_DIR) + "/scenarios"))
    if (entry.path().extension() == ".toml") expect_round_trip(read_scenario(entry.path().string(), {}));
}

/// kSmallest with every default.
const std::string kSmallestInFull = R"(name = "a"
seed = 1

[data]
set = "glyphs"
clients = 20
proxy = 0
validation = 0

[data.partition]
name = "iid"

[model]
name = "mlp"

[training]
epochs = 1
batch = 32

[training.method]
name = "fedavg"

[training.objective]
name = "plain"

[training.optimizer]
name = "sgd"

[federation]
rounds = 3
cohort = 5
over_selection = 1.0
deadline = 0.0
minimum = 1
replace_until = 0.0
give_up = 10
pace = 0.0
transport = "memory"

[federation.aggregation]
name = "synchronous"

[federation.weighting]
name = "examples"

[federation.strategy]
name = "fedavg"

[federation.uplink]
name = "float32"

[federation.downlink]
name = "float32"

[evaluate]
every = 0
class_clients = 100
weights = [32]
activations = [32]
range = ["minmax"]
granularity = ["tensor"]
first = 0
last = 0

[checkpoint]
seconds = 5.0
keep = 2

[limits]
client_state = 16000000000
client_memory = 256000000
)";

TEST(WriteScenario, WritesEveryDefaultAKeyALine) { EXPECT_EQ(write_scenario(read(kSmallest)), kSmallestInFull); }

TEST(WriteScenario, WritesAllOfAClass) {
  const std::string text = write_scenario(read(kSmallest + "[[fleet.class]]\nname = \"a\"\nshare = 1\nwidths = 8\n"));
  EXPECT_NE(text.find(R"(
[[fleet.class]]
name = "a"
share = 1.0
widths = [8]
compute = 0.0
compute_spread = 0.0
memory = 0.0
down = 0.0
up = 0.0
link_spread = 0.0
latency = 0.0
energy_flop = 0.0
energy_byte = 0.0
idle_power = 0.0
drop_out = 0.0

[fleet.class.availability]
name = "always"

[evaluate]
)"),
            std::string::npos)
      << text;
}

TEST(ResultBearingText, LeavesOutWhatDecidesNoResult) {
  const std::string text = result_bearing_text(read(kOdd));
  const std::vector<Override> without_effect = {{"name", "b"},
                                                {"evaluate.every", "2"},
                                                {"evaluate.class_clients", "0"},
                                                {"evaluate.final.weights", "[4]"},
                                                {"checkpoint.seconds", "0"},
                                                {"limits.client_state", "1GB"},
                                                {"limits.client_memory", "1MB"},
                                                {"federation.transport", "tcp"}};
  EXPECT_EQ(result_bearing_text(read(kOdd, without_effect)), text);
}

TEST(ResultBearingText, HoldsWhatDecidesOne) {
  const std::string text = result_bearing_text(read(kOdd));
  const std::vector<Override> with_effect = {{"seed", "2"},
                                             {"data.set", "mnist"},
                                             {"data.classes", "3"},
                                             {"data.clients", "21"},
                                             {"data.proxy", "1"},
                                             {"data.validation", "1"},
                                             {"data.partition", "writer"},
                                             {"model", "lenet"},
                                             {"model.width", "3"},
                                             {"training.method", "qat"},
                                             {"training.objective", "prox"},
                                             {"training.optimizer", "adam"},
                                             {"training.epochs", "2"},
                                             {"training.batch", "2"},
                                             {"federation.rounds", "4"},
                                             {"federation.cohort", "4"},
                                             {"federation.over_selection", "1.5"},
                                             {"federation.deadline", "1"},
                                             {"federation.minimum", "2"},
                                             {"federation.give_up", "1"},
                                             {"federation.pace", "0.5"},
                                             {"federation.aggregation", "fedbuff"},
                                             {"federation.weighting", "equal"},
                                             {"federation.strategy", "median"},
                                             {"federation.uplink", "uniform"},
                                             {"federation.downlink", "uniform"},
                                             {"training.optimizer.rate", "0.3"},
                                             {"fleet.class", "[]"}};
  for (const Override& change : with_effect) EXPECT_NE(result_bearing_text(read(kOdd, {change})), text) << change.path;
  for (const std::string key : {"compute", "compute_spread", "memory", "down", "up", "link_spread", "latency",
                                "energy_flop", "energy_byte", "idle_power", "drop_out"}) {
    const std::string one = kSmallest + "[[fleet.class]]\nname = \"a\"\nshare = 1\nwidths = 8\n";
    EXPECT_NE(result_bearing_text(read(one + key + " = 0.5\n")), result_bearing_text(read(one))) << key;
  }
  const Override deadline = {"federation.deadline", "1"};
  EXPECT_NE(result_bearing_text(read(kOdd, {deadline, {"federation.replace_until", "0.5"}})),
            result_bearing_text(read(kOdd, {deadline})));
}

TEST(ResultBearingText, ReadsBack) {
  const std::string text = result_bearing_text(read(kOdd));
  EXPECT_EQ(result_bearing_text(read(text)), text);
}

}  // namespace
}  // namespace anybit
