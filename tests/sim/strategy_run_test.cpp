// A strategy's state in whole runs: of every strategy there is.
#include <gtest/gtest.h>

#include <unistd.h>

#include <filesystem>

#include "server/checkpoint.h"
#include "sim/replay.h"
#include "tests/sim/whole_run.h"

namespace anybit {
namespace {

struct StrategyRun : testing::TestWithParam<std::string> {
  Federation federation = tiny_federation({"federation.strategy=" + GetParam()});
};

/// As it comes back from a checkpoint on the disk.
FederationState saved_and_read(const Federation& federation, const FederationState& state) {
  const std::string path =
      (std::filesystem::temp_directory_path() / ("anybit_strategy_" + std::to_string(::getpid()) + ".ckpt")).string();
  Checkpoint checkpoint;
  checkpoint.layout = federation.training.layout->digest();
  checkpoint.state = state;
  write_checkpoint(path, checkpoint);
  Checkpoint read = read_checkpoint(path);
  std::filesystem::remove(path);
  attach_layout(read, federation.training.layout, path);
  return read.state;
}

TEST_P(StrategyRun, EndsInTheSameBitsAfterEveryResume) {
  const FederationState whole = run_all(federation);
  EXPECT_EQ(whole.version, 4U);
  EXPECT_EQ(whole.strategy_state.size(),
            federation.training.layout->size() * static_cast<std::size_t>(federation.strategy->state_buffers()));
  for (int rounds = 0; rounds < 4; ++rounds) {
    FederationRun first(federation, federation.first_state(), 2);
    for (int round = 0; round < rounds; ++round) ASSERT_TRUE(first.next_round());
    FederationRun rest(federation, saved_and_read(federation, first.state()), 1);
    while (rest.next_round()) {}
    EXPECT_EQ(compare_states(whole, rest.state()), "") << rounds;
  }
}

TEST_P(StrategyRun, AStateThatIsLostShows) {
  if (federation.strategy->state_buffers() == 0) return;  // it has none to lose
  FederationRun first(federation, federation.first_state(), 1);
  ASSERT_TRUE(first.next_round());
  FederationState forgotten = first.state();
  forgotten.strategy_state.clear();
  FederationRun rest(federation, forgotten, 1);
  while (rest.next_round()) {}
  EXPECT_NE(rest.state().global.values, run_all(federation).global.values);
}

INSTANTIATE_TEST_SUITE_P(All, StrategyRun, testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const RowInfo& row : strategies().infos()) names.push_back(row.name);
                           return names;
                         }()),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace anybit
