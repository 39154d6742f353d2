#include "sim/cost_report.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/memory_cost.h"
#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

// float32 has no choice: every update is as long as the first parameters say.
const std::vector<std::string> kFloatRun = {"training.method.name=fedavg", "federation.uplink.name=float32"};

RoundRecord first_round(const Federation& federation) {
  FederationRun run(federation, federation.first_state(), 1);
  return run.next_round().value();
}

TEST(FrameBytes, AreThoseThatARoundSends) {
  for (const std::vector<std::string>& settings : {kFloatRun, std::vector<std::string>{"training.method.widths=[4]"}}) {
    const Federation federation = tiny_federation(settings);
    const FrameBytes frame = frame_bytes(federation);
    const RoundRecord round = first_round(federation);
    EXPECT_EQ(static_cast<double>(round.bytes_down), 3 * (frame.task + frame.acknowledge));
    EXPECT_EQ(static_cast<double>(round.bytes_up), 3 * frame.update);
  }
}

TEST(MemoryCost, IsTheSumOfItsParts) {
  const Federation federation = tiny_federation(kFloatRun);
  const double buffer = 4.0 * static_cast<double>(federation.training.layout->size());
  const FrameBytes frame = frame_bytes(federation);
  const MemoryCost cost = memory_cost(federation, 2);
  // 400 dealt, 100 of the proxy and 5000 test examples of 28 x 28 pixels; where each of 20 clients begins
  EXPECT_EQ(cost.data, 5500.0 * (784 + 1 + 4) + 20 * 8);
  EXPECT_EQ(cost.server, 6 * buffer);
  EXPECT_EQ(cost.checkpoint, buffer);
  EXPECT_EQ(cost.messages, 2 * frame.task + 3 * frame.update + 2 * frame.update);
  const Workspace training(federation.training.network, 8, Mode::kTraining);
  EXPECT_EQ(cost.training, 2 * (static_cast<double>(training.bytes()) + 3 * buffer));
  const Workspace inference(federation.training.network, 100, Mode::kInference);
  EXPECT_EQ(cost.evaluation, buffer + 2 * static_cast<double>(inference.bytes()));  // one copy, of four bits
  EXPECT_EQ(cost.total(),
            cost.data + cost.server + cost.messages + cost.training + cost.evaluation + cost.checkpoint + cost.program);
  EXPECT_GT(cost.program, 1e6);
}

TEST(MemoryCost, CountsTheRoomToFitRanges) {
  const auto evaluation = [](const std::string& range) {
    const Federation federation = tiny_federation({"evaluate.weights=[8, 4]", "evaluate.range=" + range});
    return memory_cost(federation, 2).evaluation;
  };
  // Of two models at once: twice the largest weight, and a histogram of 8192 bins.
  EXPECT_EQ(evaluation("mse") - evaluation("minmax"), 2 * 4.0 * (2 * 784 * 16 + 8192));
}

// Two copies of the parameters, of four and two bits, in place of one; and each thread's client of twenty examples.
TEST(MemoryCost, CountsTheEvaluationByClass) {
  const auto evaluation = [](std::vector<std::string> settings) {
    settings.insert(settings.end(), {"data.partition.name=writer",
                                     "fleet.class=[{name = \"one\", share = 1, widths = "
                                     "[4, 2]}]"});
    return memory_cost(tiny_federation(settings), 2).evaluation;
  };
  const double buffer = 4.0 * static_cast<double>(tiny_federation().training.layout->size());
  EXPECT_EQ(evaluation({}) - evaluation({"evaluate.class_clients=0"}), buffer + 2 * 20 * (784 + 1 + 4));
}

// Of each thread: a copy of the parameters, room to fit the largest weight, and grids by width.
TEST(MemoryCost, CountsWhatSlotsKeep) {
  const auto training = [](const std::string& range) {
    return memory_cost(tiny_federation({"training.method.range=" + range}), 2).training;
  };
  const double buffer = 4.0 * static_cast<double>(tiny_federation().training.layout->size());
  EXPECT_GE(training("mse") - training("minmax"), 2 * buffer);
}

// Each thread's, and no copies of the parameters; where a class has another width than its method trained, a copy.
TEST(MemoryCost, CountsTheMethodsOwnQuantizersOfTheEvaluation) {
  const std::vector<std::string> fitted = {"training.method.range=mse", "evaluate.weights=[8, 4]"};
  const auto evaluation = [](std::vector<std::string> settings, const std::string& range) {
    settings.push_back("evaluate.range=" + range);
    return memory_cost(tiny_federation(settings), 2).evaluation;
  };
  const Federation federation = tiny_federation(fitted);
  const double buffer = 4.0 * static_cast<double>(federation.training.layout->size());
  const NetworkPlan& trained = federation.training;
  const auto program = trained.method.quantizers->make_program(trained.network, trained.layout, Passes::kEvaluation);
  program->begin_client(federation.first_state().global.values);
  EXPECT_EQ(evaluation(fitted, "trained") - (evaluation(fitted, "minmax") - 2 * buffer),
            2 * static_cast<double>(program->bytes()));
  const std::vector<std::string> classes = {"training.method={name = \"lsq\", width = 4}", "data.partition.name=writer",
                                            "fleet.class=[{name = \"one\", share = 1, widths = [4, 2]}]"};
  std::vector<std::string> none = classes;
  none.emplace_back("evaluate.class_clients=0");
  const double lsq_buffer = 4.0 * static_cast<double>(tiny_federation(classes).training.layout->size());
  EXPECT_EQ(evaluation(classes, "trained") - evaluation(none, "trained"), lsq_buffer + 2 * 20 * (784 + 1 + 4));
}

TEST(MemoryCost, IsToldOfAGridThatNobodyAsksAbout) {
  EXPECT_NO_THROW(memory_cost(
      tiny_federation({"training.method.name=fedavg", "evaluate.range=trained", "evaluate.final.weights=[4]"}), 1));
}

TEST(MemoryCost, CountsTheVersionsThatAreAtWork) {
  const auto cost = [](const std::string& aggregation) {
    std::vector<std::string> settings = kFloatRun;
    settings.insert(settings.end(),
                    {"federation.rounds=100", "federation.cohort=1", "federation.aggregation=" + aggregation});
    return memory_cost(tiny_federation(settings), 1);
  };
  const FrameBytes frame = frame_bytes(tiny_federation(kFloatRun));
  const double buffer = 4.0 * static_cast<double>(tiny_federation(kFloatRun).training.layout->size());
  EXPECT_EQ(cost("synchronous").messages, 2 * frame.task + frame.update + frame.update);
  // With 6 at work, 5 can be on versions of their own beside the current one, and all can wait their turn; of 15 eight.
  EXPECT_EQ(cost("{name = \"fedbuff\", concurrency = 6}").messages, 7 * frame.task + 6 * frame.update + frame.update);
  EXPECT_EQ(cost("{name = \"fedbuff\", concurrency = 15, max_staleness = 3}").messages,
            5 * frame.task + 8 * frame.update + frame.update);
  EXPECT_EQ(cost("{name = \"fedbuff\", concurrency = 6}").server, 6 * buffer);
  EXPECT_EQ(cost("{name = \"fedasync\", concurrency = 6}").server, (6 + 1) * buffer)
      << "how far the version is off that the update started from";
}

TEST(MemoryCost, DoesNotGrowWithWriters) {
  const auto with = [](const std::string& clients) {
    return tiny_federation({"data.partition.name=writer", "data.clients=" + clients});
  };
  const Federation many = with("100000000");
  const auto counted = [](const Federation& federation) {
    const MemoryCost cost = memory_cost(federation, 1);
    return cost.total() - cost.program;
  };
  EXPECT_EQ(counted(many), counted(with("20")));
  const std::string report = cost_report(many, 1);
  EXPECT_NE(report.find("examples a client     20 / 20 / 20  (least / middle / most)"), std::string::npos) << report;
  EXPECT_NE(report.find("of the first 1000 clients"), std::string::npos) << report;
}

TEST(CostReport, CountsTheOperationsOfEveryGradient) {
  const auto flops = [](const std::string& method) {
    const std::string report = cost_report(tiny_federation({"training.method.name=" + method}), 1);
    const std::size_t at = report.find("FLOPs a round");
    return report.substr(at, report.find('\n', at) - at);
  };
  // 2 x (784 x 16 + 16 x 10) forward, three passes, 20 examples, 3 clients; joint has a gradient for each of 3 widths.
  EXPECT_EQ(flops("mqat"), "FLOPs a round         4.57e+06");
  EXPECT_EQ(flops("joint"), "FLOPs a round         1.37e+07");
}

TEST(CostReport, CountsTheTasksOfAllThatAreSelected) {
  const auto bytes = [](const std::string& over_selection) {
    const std::string report = cost_report(tiny_federation({"federation.over_selection=" + over_selection}), 1);
    const std::size_t at = report.find("bytes a round");
    return report.substr(at, report.find('\n', at) - at);
  };
  // 12,730 floats to 3 or 6 clients; up they come at 8 bits.
  EXPECT_EQ(bytes("1"), "bytes a round         153.2 kB down, 38.8 kB up");
  EXPECT_EQ(bytes("2"), "bytes a round         306.2 kB down, 38.8 kB up");
}

}  // namespace
}  // namespace anybit
