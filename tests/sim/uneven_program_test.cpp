// Uneven devices with the real program: what it writes, and that going on changes none of it.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/program/started_program.h"

namespace anybit {
namespace {

using Words = std::vector<std::string>;

const char* const kFleet = R"(
[[fleet.class]]
name = "fast"
share = 0.5
widths = [8]
compute = 1e7
compute_spread = 0.5
down = 1e5
up = 5e2
drop_out = 0.2
energy_flop = 1e-9
[[fleet.class]]
name = "slow, at night"
share = 0.5
widths = [4]
compute = 1e6
availability = { name = "diurnal", from = 22, to = 6 }
)";

struct UnevenProgram : testing::TestWithParam<const char*> {
  ProgramFolder folder;

  UnevenProgram() {
    std::string text = folder.read("tiny.toml");
    const std::size_t at = text.find("[federation]\n");
    text.insert(at + 13, std::string(GetParam()));
    folder.write("uneven.toml", text + kFleet);
  }

  /// Of learned ranges the size of an update is known when it was trained: it names the steps of widths that were.
  Outcome run(const Words& more) const {
    Words arguments{"run", "uneven.toml"};
    for (const char* setting : {"training.method.range=learned", "checkpoint.seconds=0", "checkpoint.keep=9"})
      arguments.insert(arguments.end(), {"--set", setting});
    arguments.insert(arguments.end(), more.begin(), more.end());
    return folder.run(arguments);
  }

  /// Without the seconds of the clock.
  std::string metrics(const std::string& run) const {
    std::string text = folder.read(run + "/metrics.jsonl");
    for (std::size_t at = text.find("\"seconds\""); at != std::string::npos; at = text.find("\"seconds\"", at + 1))
      text.erase(at, text.find(',', at) - at);
    return text;
  }
};

TEST_P(UnevenProgram, GoesOnToTheSameFiles) {
  ASSERT_EQ(run({"--out", "whole"}).code, 0);
  ASSERT_EQ(run({"--out", "cut", "--threads", "1"}).code, 0);
  for (const char* file : {"model.ckpt", "checkpoints/checkpoint-000003.ckpt", "checkpoints/checkpoint-000004.ckpt"})
    std::filesystem::remove(folder.path() / "cut" / file);
  const Outcome resumed = run({"--out", "cut", "--resume"});
  ASSERT_EQ(resumed.code, 0) << resumed.error;
  for (const char* file : {"model.ckpt", "events.log", "tasks.csv", "checkpoints/checkpoint-000003.ckpt"})
    EXPECT_EQ(folder.read(std::string("cut/") + file), folder.read(std::string("whole/") + file)) << file;
  EXPECT_EQ(metrics("cut"), metrics("whole"));
  EXPECT_EQ(folder.run({"replay", "cut"}).code, 0);
}

TEST_P(UnevenProgram, WritesTimeEnergyAndTasks) {
  const Outcome outcome = run({"--out", "whole"});
  ASSERT_EQ(outcome.code, 0) << outcome.error;
  const std::string text = metrics("whole");
  for (const char* key : {"\"time\": ", "\"flops\": ", "\"energy\": {\"fast\": ", "\"wasted\": {\"tasks\": ",
                          "\"participation\": {\"clients\": "})
    EXPECT_NE(text.find(key), std::string::npos) << key;
  const std::string tasks = folder.read("whole/tasks.csv");
  EXPECT_TRUE(tasks.starts_with("round,client,class,sent,began,ended,outcome,")) << tasks;
  EXPECT_NE(tasks.find(",\"slow, at night\","), std::string::npos);
  EXPECT_GE(std::ranges::count(tasks, '\n'), 1 + 4 * 3);
}

INSTANTIATE_TEST_SUITE_P(All, UnevenProgram,
                         testing::Values("over_selection = 1.5\ndeadline = 1000\n",
                                         "aggregation = { name = \"fedbuff\", concurrency = 6 }\n"));

}  // namespace
}  // namespace anybit
