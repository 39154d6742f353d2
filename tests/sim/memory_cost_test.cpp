// What `check` promises, against what the kernel says a run had in memory at most.
#include "sim/memory_cost.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "tests/program/started_program.h"
#include "tests/sim/promised_memory.h"

namespace anybit {
namespace {

// Seen: as much as was measured to 4 % more, 8 % where ranges are searched. The rest is for other machines and kernels.
constexpr double kTolerance = 0.15;

/// The tiny scenario with these settings, "key.path=value".
struct Case {
  const char* name;
  std::vector<std::string> settings;
};

struct MemoryOfRuns : testing::TestWithParam<std::tuple<Case, std::string>> {};

TEST_P(MemoryOfRuns, IsWhatCheckPromises) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "machine: no plain memory under a sanitizer, which keeps its own beside it";
#endif
  const ProgramFolder folder;
  const auto outcome = [&](std::vector<std::string> words) {
    words.insert(words.end(), {"tiny.toml", "--threads", std::get<1>(GetParam())});
    for (const std::string& setting : std::get<0>(GetParam()).settings) words.insert(words.end(), {"--set", setting});
    const Outcome done = folder.run(words);
    EXPECT_EQ(done.code, 0) << done.error;
    return done;
  };
  const double promised = promised_bytes(outcome({"check"}).out);
  const double measured = outcome({"run"}).peak_bytes;
  EXPECT_NEAR(promised / measured, 1.0, kTolerance) << promised << " promised, " << measured << " measured";
}

const Case kCases[] = {
    {"logistic", {"model.name=logistic"}},
    {"lenet", {"model.name=lenet"}},
    {"cnn", {"model.name=cnn"}},
    {"lenetWithSearchedSteps", {"model.name=lenet", "training.method.range=mse"}},
    {"resnet20bn", {"model.name=resnet20-bn", "federation.rounds=1"}},
    {"mlpOverTcp", {"model.hidden=[1024,512]", "federation.transport=tcp"}},
    {"mlpWithAdamAndSearchedRanges",
     {"model.hidden=[1024,512]", "training.optimizer.name=adam", "training.optimizer.rate=0.001",
      "evaluate.range=mse"}},
    {"mlpWithItsOwnQuantizers",
     {"model.hidden=[1024,512]", "training.method.range=mse", "evaluate.range=trained", "evaluate.weights=[8,4,2]"}},
    // Updates and parameters of 5 MB, of which the program and the data are a small part.
    {"mlpAsynchronously",
     {"model.hidden=[1024,512]", "training.method.name=fedavg", "federation.uplink=float32", "data.clients=100",
      "data.examples=4", "federation.rounds=60", "federation.cohort=1",
      "federation.aggregation={name = \"fedasync\", concurrency = 60, max_staleness = 5}",
      "fleet.class=[{name = \"one\", share = 1, widths = [8], compute = 1e9, compute_spread = 1.15}]"}},
    {"lenetWithAClientThatIsCut",
     {"model.name=lenet", "training.batch=64", "training.method.name=fedavg", "data.clients=8", "federation.cohort=8",
      "data.partition.name=quantity", "data.partition.alpha=1e-6", "data.partition.minimum=10"}},
};

INSTANTIATE_TEST_SUITE_P(SmallAndBigger, MemoryOfRuns,
                         testing::Combine(testing::ValuesIn(kCases), testing::Values("1", "2")),
                         [](const auto& tested) { return std::get<0>(tested.param).name + std::get<1>(tested.param); });

}  // namespace
}  // namespace anybit
