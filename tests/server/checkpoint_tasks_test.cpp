// What a checkpoint holds of virtual time and of tasks that wait for their answers while versions go by.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "server/checkpoint.h"
#include "tests/server/states_in_memory.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<const Bytes> bytes(const std::string& text) {
  return std::make_shared<const Bytes>(text.begin(), text.end());
}

Downlink downlink(std::uint32_t version, const std::string& text) {
  const std::shared_ptr<const Bytes> made = bytes(text);
  return {version, crc32c(*made), made};
}

Checkpoint make_checkpoint() {
  Checkpoint checkpoint;
  checkpoint.scenario = "seed = 1\n";
  FederationState& state = checkpoint.state;
  state.global = Parameters(std::make_shared<const Layout>(std::vector<TensorSpec>{{.name = "w", .shape = {2}}}));
  state.version = state.round = 4;
  state.time = 12.5;
  state.expected_round = 3.25;
  state.tasks = 17;
  state.in_flight = {{.client = 2, .number = 16, .version = 4, .since = 12, .delay = 0.5},
                     {.client = 9, .number = 11, .version = 2, .since = 7}};
  state.downlinks = {downlink(2, "older"), downlink(4, "newer parameters")};
  checkpoint.layout = state.global.layout->digest();
  return checkpoint;
}

struct CheckpointOfTasks : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("anybit_checkpoint_tasks_" + std::to_string(::getpid()));
  std::string path = (folder / "a.ckpt").string();
  CheckpointOfTasks() { fs::create_directories(folder); }
  ~CheckpointOfTasks() override { fs::remove_all(folder); }

  std::string refusal(const Checkpoint& checkpoint) const {
    write_checkpoint(path, checkpoint);
    try {
      (void)read_checkpoint(path);
    } catch (const CheckpointError& error) {
      const std::string what = error.what();
      return what.substr(what.find(": ") + 2);
    }
    return "accepted";
  }
};

TEST_F(CheckpointOfTasks, ReadsBackWhatWasWritten) {
  const Checkpoint written = make_checkpoint();
  write_checkpoint(path, written);
  const FederationState read = read_checkpoint(path).state;
  EXPECT_EQ(read.time, 12.5);
  EXPECT_EQ(read.expected_round, 3.25);
  EXPECT_EQ(read.tasks, 17U);
  EXPECT_EQ(read.in_flight, written.state.in_flight);
  ASSERT_EQ(read.downlinks.size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(read.downlinks[i].version, written.state.downlinks[i].version);
    EXPECT_EQ(read.downlinks[i].digest, written.state.downlinks[i].digest);
    EXPECT_EQ(*read.downlinks[i].bytes, *written.state.downlinks[i].bytes);
  }
}

TEST_F(CheckpointOfTasks, TakesClientsBesideThem) {
  Checkpoint checkpoint = make_checkpoint();
  checkpoint.state.counted = {{2, 9}, {9, 17}};
  checkpoint.client_states = std::make_shared<const StatesInMemory>(checkpoint.state.counted, std::vector<float>{1, 2});
  write_checkpoint(path, checkpoint);
  EXPECT_EQ(read_checkpoint(path).state.counted, checkpoint.state.counted) << "numbers of tasks, not of rounds";
  EXPECT_EQ(all_states(read_checkpoint(path).client_states.get(), {{9, 17}}), std::vector<float>{2});
  checkpoint.state.counted = {{2, 18}, {9, 17}};
  EXPECT_NE(refusal(checkpoint), "accepted") << "of a task that was not given";
}

TEST_F(CheckpointOfTasks, RefusesTasksThatCannotBe) {
  const auto refused = [&](auto change) {
    Checkpoint checkpoint = make_checkpoint();
    change(checkpoint.state);
    return refusal(checkpoint) != "accepted";
  };
  EXPECT_TRUE(refused([](FederationState& state) { state.in_flight[0].number = 17; })) << "not given";
  EXPECT_TRUE(refused([](FederationState& state) { state.in_flight[0].version = 3; })) << "of no downlink";
  EXPECT_TRUE(refused([](FederationState& state) { state.in_flight[0].client = 9; })) << "two of one client";
  EXPECT_TRUE(refused([](FederationState& state) { state.in_flight[1].since = std::nan(""); }));
  EXPECT_TRUE(refused([](FederationState& state) { state.in_flight[0].number = 11; })) << "one that two have";
  EXPECT_TRUE(refused([](FederationState& state) { state.in_flight[1].delay = -1; }));
  EXPECT_TRUE(refused([](FederationState& state) { state.downlinks[0].digest ^= 1U; }));
  EXPECT_TRUE(refused([](FederationState& state) { std::swap(state.downlinks[0], state.downlinks[1]); }));
  EXPECT_TRUE(refused([](FederationState& state) { state.time = -1; }));
  EXPECT_FALSE(refused([](FederationState&) {}));
}

TEST_F(CheckpointOfTasks, DetectsAFlippedBitAnywhere) {
  write_checkpoint(path, make_checkpoint());
  std::ifstream in(path, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), {}};
  for (std::size_t byte = 0; byte < good.size(); ++byte) {
    std::string bad = good;
    bad[byte] = static_cast<char>(bad[byte] ^ 4);
    std::ofstream(path, std::ios::binary) << bad;
    EXPECT_THROW((void)read_checkpoint(path), CheckpointError) << byte;
  }
}

}  // namespace
}  // namespace anybit
