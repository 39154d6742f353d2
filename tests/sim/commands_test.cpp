// The commands of the real program, on good input.
#include <gtest/gtest.h>

#include <regex>

#include "sim/families.h"
#include "tests/program/started_program.h"

namespace anybit {
namespace {

struct Commands : testing::Test {
  ProgramFolder folder;

  Outcome good(const std::vector<std::string>& arguments) const {
    Outcome outcome = folder.run(arguments);
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    return outcome;
  }
};

TEST_F(Commands, RunFillsTheRunDirectory) {
  const Outcome outcome = good({"run", "tiny.toml"});
  for (const char* file : {"scenario.toml", "provenance.json", "metrics.jsonl", "events.log", "model.ckpt",
                           "checkpoints/checkpoint-000004.ckpt"})
    EXPECT_TRUE(folder.has(std::string("runs/tiny/") + file)) << file;
  EXPECT_NE(outcome.out.find("W4"), std::string::npos);
  EXPECT_NE(outcome.error.find("round 4/4"), std::string::npos);
  for (const char* key : {"version", "commit", "compiler", "kernel_set", "scenario_digest", "data"})
    EXPECT_NE(folder.read("runs/tiny/provenance.json").find('"' + std::string(key) + '"'), std::string::npos) << key;
}

TEST_F(Commands, AResolvedScenarioRunsToTheSameModel) {
  good({"run", "tiny.toml"});
  good({"run", "runs/tiny/scenario.toml", "--out", "again"});
  EXPECT_EQ(folder.read("again/model.ckpt"), folder.read("runs/tiny/model.ckpt"));
  EXPECT_EQ(folder.read("again/scenario.toml"), folder.read("runs/tiny/scenario.toml"));
}

TEST_F(Commands, WhatDecidesNoResultIsNotInTheModel) {
  good({"run", "tiny.toml"});
  good({"run", "tiny.toml", "--set", "name=other", "--set", "evaluate.every=2", "--set", "evaluate.weights=[8,2]",
        "--set", "checkpoint.keep=1"});
  EXPECT_EQ(folder.read("runs/other/model.ckpt"), folder.read("runs/tiny/model.ckpt"));
}

TEST_F(Commands, TheFinalGridStandsInTheLastRoundWithTheRegularPoints) {
  folder.write("tiny.toml", folder.read("tiny.toml") + "every = 2\n[evaluate.final]\nweights = [32, 2]\n");
  good({"run", "tiny.toml"});
  std::istringstream lines(folder.read("runs/tiny/metrics.jsonl"));
  std::vector<std::vector<int>> weights;
  for (std::string line; std::getline(lines, line);) {
    weights.emplace_back();
    const std::regex point("\"weights\": ([0-9]+)");
    for (std::sregex_iterator match(line.begin(), line.end(), point), end; match != end; ++match)
      weights.back().push_back(std::stoi((*match)[1]));
  }
  EXPECT_EQ(weights, (std::vector<std::vector<int>>{{}, {4}, {}, {32, 2, 4}}));
}

TEST_F(Commands, CheckpointsEveryRoundWhereSecondsAreZero) {
  good({"run", "tiny.toml", "--set", "checkpoint.seconds=0", "--set", "checkpoint.keep=3"});
  EXPECT_FALSE(folder.has("runs/tiny/checkpoints/checkpoint-000001.ckpt"));
  for (const char* version : {"2", "3", "4"})
    EXPECT_TRUE(folder.has("runs/tiny/checkpoints/checkpoint-00000" + std::string(version) + ".ckpt"));
}

// As scripts/quickstart calls it.
TEST_F(Commands, TrainOnceKeepsAFinishedRun) {
  const std::vector<std::string> words = {ANYBIT_SOURCE_DIR "/scripts/train_once", ANYBIT_SIM, "tiny.toml",
                                          "runs/once"};
  const Outcome first = run_command(folder.path(), words);
  EXPECT_EQ(first.code, 0) << first.error;
  const std::string model = folder.read("runs/once/model.ckpt");
  const Outcome second = run_command(folder.path(), words);
  EXPECT_EQ(second.code, 0) << second.error;
  EXPECT_NE(second.error.find("the run is finished"), std::string::npos) << second.error;
  EXPECT_EQ(folder.read("runs/once/model.ckpt"), model);
}

TEST_F(Commands, SetSaysWhatItDrops) {
  const Outcome outcome = good({"run", "tiny.toml", "--set", "training.method.name=fedavg"});
  EXPECT_TRUE(outcome.error.starts_with("training.method is now 'fedavg': dropped")) << outcome.error;
}

TEST_F(Commands, EvaluateNeedsTheFileOnly) {
  good({"run", "tiny.toml"});
  std::filesystem::rename(folder.path() / "runs/tiny/model.ckpt", folder.path() / "alone.ckpt");
  std::filesystem::remove_all(folder.path() / "runs");
  std::filesystem::remove(folder.path() / "tiny.toml");
  const Outcome table = good({"evaluate", "alone.ckpt", "--weights", "8,4", "--activations", "32,8", "--range",
                              "minmax,mse", "--granularity", "tensor,channel"});
  EXPECT_EQ(std::count(table.out.begin(), table.out.end(), '\n'), 2 + 8);
  const Outcome json = good({"evaluate", "alone.ckpt", "--weights", "4", "--json"});
  EXPECT_TRUE(std::regex_match(json.out, std::regex(R"(\[\{"weights": 4, "activations": 32, "range": "minmax", )"
                                                    R"("granularity": "tensor", "value": 0\.[0-9]+\}\]\n)")))
      << json.out;
  for (const Outcome& outcome : {table, json}) EXPECT_EQ(outcome.error, "") << "progress, after no time";
}

TEST_F(Commands, EvaluateAgreesWithTheRun) {
  good({"run", "tiny.toml"});
  const std::string metrics = folder.read("runs/tiny/metrics.jsonl");
  const std::string json = good({"evaluate", "runs/tiny/model.ckpt", "--weights", "4", "--json", "--threads", "1"}).out;
  EXPECT_NE(metrics.find(json.substr(0, json.size() - 1)), std::string::npos) << json;
}

TEST_F(Commands, EvaluateGoesByTheMethodsOwnQuantizers) {
  const char* const trained = R"("range": "trained", "granularity": "trained", "value": 0.)";
  good({"run", "tiny.toml", "--set", "evaluate.range=trained", "--set", "evaluate.activations=[32, 8]"});
  const std::string metrics = folder.read("runs/tiny/metrics.jsonl");
  EXPECT_NE(metrics.find(std::string(R"({"weights": 4, "activations": 8, )") + trained), std::string::npos) << metrics;
  const std::string json = good({"evaluate", "runs/tiny/model.ckpt", "--weights", "4", "--activations", "32,8",
                                 "--range", "trained", "--granularity", "tensor,channel", "--json", "--threads", "1"})
                               .out;
  EXPECT_NE(metrics.find(json.substr(0, json.size() - 1)), std::string::npos) << json;
  const auto refusal = [&](const char* method) {
    good({"run", "tiny.toml", "--out", method, "--set", std::string("training.method={name=\"") + method + "\"}"});
    const Outcome refused = folder.run({"evaluate", std::string(method) + "/model.ckpt", "--range", "trained",
                                        "--weights", "4", "--activations", "32,8"});
    EXPECT_EQ(refused.code, 1) << refused.out;
    return refused.error;
  };
  EXPECT_NE(refusal("fedavg").find("range rule 'trained': method 'fedavg' has no quantizers"), std::string::npos);
  EXPECT_NE(refusal("lsq").find("range rule 'trained': the method trained with float activations"), std::string::npos);
}

constexpr const char* kPhones = "fleet.class=[{name = \"phone\", share = 1, widths = [8, 2]}]";

TEST_F(Commands, RunAndEvaluateTellAccuracyByClass) {
  const Outcome run = good({"run", "tiny.toml", "--set", kPhones});
  EXPECT_NE(run.out.find("class    share  clients  weights  activations     own  unseen\n"
                         "phone        1       20        8           32"),
            std::string::npos)
      << run.out;
  const std::string metrics = folder.read("runs/tiny/metrics.jsonl");
  const std::string json = good({"evaluate", "runs/tiny/model.ckpt", "--classes", "--json", "--threads", "1"}).out;
  EXPECT_TRUE(json.starts_with(R"([{"class": "phone", "weights": 8, "activations": 32, "clients": 20, "own": 0.)"));
  EXPECT_NE(metrics.find("\"classes\": " + json.substr(0, json.size() - 1)), std::string::npos) << json;
  const std::string quantized =
      good({"evaluate", "runs/tiny/model.ckpt", "--classes", "--activations", "32,8", "--json"}).out;
  EXPECT_NE(quantized.find(R"("weights": 2, "activations": 2, )"), std::string::npos) << quantized;
  const std::string table = run.out.substr(run.out.find("class    share"));
  const std::string again = good({"evaluate", "runs/tiny/model.ckpt", "--classes"}).out;
  EXPECT_TRUE(table.starts_with(again.substr(again.find("class    share")))) << again;
}

TEST_F(Commands, EvaluateByClassGoesByTheRunsOwnGrid) {
  good({"run", "tiny.toml", "--set", kPhones, "--set", "evaluate.activations=[32, 8]", "--set",
        "evaluate.class_clients=5", "--set", "evaluate.granularity=channel"});
  const std::string metrics = folder.read("runs/tiny/metrics.jsonl");
  const auto classes = [&](std::vector<std::string> more) {
    more.insert(more.begin(), {"evaluate", "--classes", "--json", "--threads", "1"});
    const std::string json = good(more).out;
    return "\"classes\": " + json.substr(0, json.size() - 1);
  };
  const std::string own = classes({"runs/tiny/model.ckpt"});
  EXPECT_NE(metrics.find(own), std::string::npos) << own;
  EXPECT_NE(own.find(R"("activations": 2, "clients": 5)"), std::string::npos) << own;
  EXPECT_EQ(classes({"runs/tiny/checkpoints/checkpoint-000004.ckpt"}), own);
  EXPECT_EQ(classes({"runs/tiny/model.ckpt", "--activations", "32"}).find(R"("activations": 2)"), std::string::npos);
  std::filesystem::copy(folder.path() / "runs/tiny/model.ckpt", folder.path() / "elsewhere.ckpt");
  EXPECT_NE(classes({"elsewhere.ckpt"}).find(R"("activations": 32, "clients": 20)"), std::string::npos);
}

TEST_F(Commands, EvaluateByClassRefusesDevicesThatToldOtherWidths) {
  good({"run", "tiny.toml", "--set", kPhones});
  const std::string log = folder.read("runs/tiny/events.log");
  folder.write("runs/tiny/events.log", log + "0 joined 3 0 4,2\n");
  const Outcome refused = folder.run({"evaluate", "runs/tiny/model.ckpt", "--classes"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.error.find("told widths of its own (client 3: 4,2)"), std::string::npos) << refused.error;
  good({"run", "tiny.toml", "--set", kPhones, "--set", "seed=2", "--out", "other"});
  std::filesystem::rename(folder.path() / "other/model.ckpt", folder.path() / "runs/tiny/other.ckpt");
  good({"evaluate", "runs/tiny/other.ckpt", "--classes"});  // the log is not of its run
}

// As a run that was killed, or goes on, leaves its log.
TEST_F(Commands, EvaluateByClassTakesARunWhoseLogIsCutOff) {
  good({"run", "tiny.toml", "--set", kPhones});
  const std::string log = folder.read("runs/tiny/events.log");
  for (const char* tail : {"0 joined 3 0", "0 joined 3 0 4,2", "0 upd"}) {
    folder.write("runs/tiny/events.log", log + tail);
    good({"evaluate", "runs/tiny/model.ckpt", "--classes"});
  }
}

TEST_F(Commands, EvaluateFindsTheRunFromWithinItsFolders) {
  good({"run", "tiny.toml", "--set", kPhones, "--set", "evaluate.class_clients=5"});
  for (const auto& [inside, name] : {std::pair("runs/tiny", "model.ckpt"),
                                     {"runs/tiny", "checkpoints/../model.ckpt"},
                                     {"runs/tiny/checkpoints", "checkpoint-000004.ckpt"}})
    for (const std::string start : {"", "./"}) {
      const Outcome outcome = run_program(folder.path() / inside, {"evaluate", start + name, "--classes", "--json"});
      EXPECT_NE(outcome.out.find(R"("clients": 5,)"), std::string::npos) << inside << ' ' << start + name;
    }
}

TEST_F(Commands, WithoutAFleetThereAreNoClasses) {
  EXPECT_EQ(good({"run", "tiny.toml"}).out.find("by class"), std::string::npos);
  EXPECT_EQ(folder.read("runs/tiny/metrics.jsonl").find("\"classes\""), std::string::npos);
  const Outcome refused = folder.run({"evaluate", "runs/tiny/model.ckpt", "--classes"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.error.find("trained without classes of devices"), std::string::npos) << refused.error;
  good({"run", "tiny.toml", "--out", "none", "--set", kPhones, "--set", "evaluate.class_clients=0"});
  EXPECT_EQ(folder.read("none/metrics.jsonl").find("\"classes\""), std::string::npos);
}

TEST_F(Commands, CheckSaysWhatWouldRun) {
  const std::string text = good({"check", "tiny.toml"}).out;
  for (const char* line : {"parameters", "FLOPs an example", "examples a client", "classes a client", "bytes a round",
                           "FLOPs a round", "memory", "state"})
    EXPECT_NE(text.find(line), std::string::npos) << line;
  EXPECT_FALSE(folder.has("runs"));
}

TEST_F(Commands, PlotDrawsPictures) {
  good({"run", "tiny.toml"});
  good({"plot", "--out", "pictures", "runs/tiny"});
  for (const char* name : {"accuracy_by_round", "accuracy_by_width", "accuracy_by_cost"})
    for (const char* kind : {".png", ".svg"}) EXPECT_TRUE(folder.has("pictures/" + std::string(name) + kind)) << name;
  std::filesystem::remove(folder.path() / "runs/tiny/metrics.jsonl");
  EXPECT_EQ(folder.run({"plot", "runs/tiny", "--out", "pictures"}).code, 1);
}

constexpr const char* kTasks =
    "round,client,class,sent,began,ended,outcome,version,staleness,down_seconds,compute_seconds,up_seconds,flops,"
    "bytes_down,bytes_up,energy\n"
    "1,0,phone,0,0,5,counted,0,0,1,3,1,100,20,30,0.5\n"
    "1,1,watch,0,0,5,released,0,0,2,6,2,100,20,30,0.5\n";

TEST_F(Commands, TimelineDrawsTasks) {
  folder.write("run/metrics.jsonl", "{\"round\": 1, \"time\": 5}\n");
  const Outcome timeless = folder.run({"timeline", "run"});
  EXPECT_EQ(timeless.code, 1);
  EXPECT_NE(timeless.error.find("anybit-sim writes it where devices take time"), std::string::npos);
  folder.write("run/tasks.csv", kTasks);
  good({"timeline", "run", "--rounds", "1-1", "--clients", "1", "--out", "pictures"});
  for (const char* kind : {".png", ".svg"}) EXPECT_TRUE(folder.has("pictures/timeline" + std::string(kind)));
  EXPECT_NE(folder.read("pictures/timeline.svg").find("1 of 2 clients"), std::string::npos);
  EXPECT_NE(folder.run({"timeline", "run", "--rounds", "-2"}).error.find("--rounds -2: must be A-B"),
            std::string::npos);
}

TEST_F(Commands, ListPrintsEveryTable) {
  for (const std::string& family : family_names()) {
    EXPECT_FALSE(good({"list", family}).out.empty());
    EXPECT_TRUE(good({"list", family, "--json"}).out.starts_with("[")) << family;
  }
  EXPECT_NE(good({"list", "methods"}).out.find("mqat"), std::string::npos);
}

/// The quickstart under a method, shorter: one round of one client, evaluated at one point.
std::vector<std::string> short_quickstart(const std::string& method) {
  std::vector<std::string> words{"run", std::string(ANYBIT_SOURCE_DIR) + "/scenarios/quickstart.toml", "--out", method};
  for (const char* setting : {"federation.rounds=1", "federation.cohort=1", "evaluate.weights=[4]",
                              "evaluate.final.weights=[4]", "evaluate.final.activations=[32]",
                              "evaluate.final.range=[\"minmax\"]", "evaluate.final.granularity=[\"tensor\"]"}) {
    words.emplace_back("--set");
    words.emplace_back(setting);
  }
  words.emplace_back("--set");
  words.push_back("training.method.name=" + method);
  return words;
}

TEST_F(Commands, EveryMethodTrainsTheQuickstartWithNothingButItsName) {
  for (const RowInfo& row : family_rows("methods")) {
    good(short_quickstart(row.name));
    EXPECT_NE(folder.read(row.name + "/scenario.toml").find("name = \"lenet\""), std::string::npos) << row.name;
    const std::string metrics = folder.read(row.name + "/metrics.jsonl");
    EXPECT_EQ(metrics.find("\"train_loss\": null"), std::string::npos) << metrics;
    EXPECT_NE(metrics.find("\"clients\": 1, \"failed\": 0"), std::string::npos) << metrics;
  }
}

}  // namespace
}  // namespace anybit
