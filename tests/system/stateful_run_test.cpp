// anybit-sim with a method whose clients keep something between their rounds: killed and gone on with.
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>

#include "tests/program/started_program.h"

namespace anybit {
namespace {

using Words = std::vector<std::string>;

const Words kRun = {"run",   "tiny.toml",
                    "--set", "training.method.name=stateful",
                    "--set", "federation.cohort=8",
                    "--set", "federation.rounds=40",
                    "--set", "checkpoint.seconds=0",
                    "--out"};

Words into(const std::string& folder, const Words& more = {}) {
  Words words = kRun;
  words.push_back(folder);
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

TEST(StatefulRun, KilledAndGoneOnWithItEndsInTheSameBits) {
  const ProgramFolder folder;
  ASSERT_EQ(folder.run(into("whole", {"--threads", "1"})).code, 0);
  for (const char* threads : {"1", "2"}) {
    const std::string out = std::string("killed") + threads;
    const Words keeping_all = {"--threads", threads, "--set", "checkpoint.keep=50"};  // so that each can be waited for
    Words how = keeping_all;
    for (int round = 5; round <= 25; round += 10) {
      Program program(folder.path(), into(out, how));
      program.wait_until([&] {
        return folder.has(out + "/checkpoints/checkpoint-0000" + (round < 10 ? "0" : "") + std::to_string(round) +
                          ".ckpt");
      });
      program.signal(SIGKILL);
      EXPECT_EQ(program.wait().code, 128 + SIGKILL);
      how = keeping_all;
      how.emplace_back("--resume");
    }
    EXPECT_EQ(folder.run(into(out, how)).code, 0);
    EXPECT_EQ(folder.read(out + "/model.ckpt"), folder.read("whole/model.ckpt")) << threads;
    EXPECT_EQ(folder.run({"replay", out}).code, 0);
  }
}

TEST(StatefulRun, InterruptedInAMeasuredRoundItEndsInTheSameBits) {
  const ProgramFolder folder;
  const Words measured = {"--set", "evaluate.every=1", "--set", "checkpoint.seconds=1000"};
  ASSERT_EQ(folder.run(into("whole", measured)).code, 0);
  Program program(folder.path(), into("cut", measured));
  program.wait_until([&] { return folder.read("cut/metrics.jsonl").size() > 2000; });
  program.signal(SIGINT);
  EXPECT_EQ(program.wait().code, 130);
  Words more = measured;
  more.emplace_back("--resume");
  EXPECT_EQ(folder.run(into("cut", more)).code, 0);
  EXPECT_EQ(folder.read("cut/model.ckpt"), folder.read("whole/model.ckpt"));
}

TEST(StatefulRun, DoesNotGoOnWithTheRunOfAServer) {
  const ProgramFolder folder;
  ASSERT_EQ(folder.run(into("run", {"--set", "checkpoint.keep=2"})).code, 0);
  // The model is a checkpoint without the clients' states, as a server writes it.
  const std::string model = folder.read("run/model.ckpt");
  std::filesystem::remove(folder.path() / "run/model.ckpt");
  folder.write("run/checkpoints/checkpoint-000040.ckpt", model);
  const Outcome refused = folder.run(into("run", {"--set", "checkpoint.keep=2", "--resume"}));
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.error.find("the run there is one of anybit-server, whose clients' states are with the clients; go "
                               "on with anybit-server, or name another run directory"),
            std::string::npos)
      << refused.error;
}

TEST(StatefulRun, AServerDoesNotGoOnWithIt) {
  const ProgramFolder folder;
  ASSERT_EQ(folder.run(into("run")).code, 0);
  std::filesystem::remove(folder.path() / "run/model.ckpt");
  std::filesystem::remove(folder.path() / "run/checkpoints/checkpoint-000040.ckpt");
  Words words = kRun;
  words.front() = "--listen=127.0.0.1:0";
  words.back() = "--state=run";
  const std::string metrics = folder.read("run/metrics.jsonl");
  const Outcome refused = Program(folder.path(), words, 0, "stdout.txt", ANYBIT_SERVER).wait();
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.error.find("the run there is one of anybit-sim, whose clients' states are in its checkpoints; go "
                               "on with anybit-sim run --resume, or name another run directory"),
            std::string::npos)
      << refused.error;
  EXPECT_EQ(folder.read("run/metrics.jsonl"), metrics) << "nothing is cut back";
}

}  // namespace
}  // namespace anybit
