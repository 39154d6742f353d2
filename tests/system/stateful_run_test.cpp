// anybit-sim with a method whose clients keep something between their rounds: killed and gone on with.
#include <gtest/gtest.h>

#include <unistd.h>

#include <csignal>

#include "tests/program/started_program.h"
#include "tests/sim/promised_memory.h"

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

void expect_says(const Outcome& outcome, const std::string& words) {
  EXPECT_NE(outcome.error.find(words), std::string::npos) << outcome.error;
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

const Words kOnTheDisk = {"--set", "limits.client_memory=0"};

TEST(StatefulRun, WithItsStatesOnTheDiskItEndsInTheSameBits) {
  const ProgramFolder folder;
  ASSERT_EQ(folder.run(into("whole")).code, 0);
  Words keeping_all = kOnTheDisk;  // so that one can be waited for
  keeping_all.insert(keeping_all.end(), {"--set", "checkpoint.keep=50"});
  Program program(folder.path(), into("disk", keeping_all));
  program.wait_until([&] { return folder.has("disk/checkpoints/checkpoint-000010.ckpt"); });
  program.signal(SIGINT);
  EXPECT_EQ(program.wait().code, 130);
  const Words resume = {"--resume", "--set", "limits.client_memory=200kB"};
  EXPECT_EQ(folder.run(into("disk", resume)).code, 0);
  EXPECT_EQ(folder.read("disk/model.ckpt"), folder.read("whole/model.ckpt"));
  EXPECT_EQ(folder.run({"replay", "disk"}).code, 0);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "disk"))
    EXPECT_EQ(entry.path().string().find("client-states"), std::string::npos) << "a file without a name";
}

// A hundred states of 636 kB are 64 MB, and twenty more are of clients at work.
TEST(StatefulRun, TakesTheMemoryThatCheckPromisesAndNoMore) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "machine: no plain memory under a sanitizer, which keeps its own beside it";
#endif
  const ProgramFolder folder;
  const auto measured = [&](const std::string& limit) {
    Words words = {"check", "tiny.toml"};
    for (const std::string& setting : {std::string("training.method.name=stateful"), std::string("model.hidden=[200]"),
                                       std::string("data.clients=100"), std::string("federation.cohort=20"),
                                       std::string("federation.rounds=8"), "limits.client_memory=" + limit})
      words.insert(words.end(), {"--set", setting});
    const Outcome checked = folder.run(words);
    words.front() = "run";
    words.insert(words.end(), {"--force", "--out", "run"});
    const Outcome run = folder.run(words);
    EXPECT_EQ(checked.code + run.code, 0) << checked.error << run.error;
    EXPECT_NEAR(promised_bytes(checked.out) / run.peak_bytes, 1.0, 0.15) << run.peak_bytes;
    return run.peak_bytes;
  };
  const double all_in_memory = measured("1GB");
  EXPECT_LT(measured("1MB"), all_in_memory - 55e6);
}

// The last checkpoint has 20 states, the file 20 and those of the eight at work.
TEST(StatefulRun, NoRoomForTheStatesOnTheDiskLosesNothing) {
  const ProgramFolder folder;
  ASSERT_EQ(folder.run(into("whole")).code, 0);
  constexpr std::size_t kState = 50924;
  Program early(folder.path(), into("full", kOnTheDisk), 24 * kState);
  const Outcome stopped = early.wait();
  EXPECT_EQ(stopped.code, 1);
  expect_says(stopped, "\nanybit-sim: cannot write what a client keeps in full: File too large; raise the limit");
  EXPECT_TRUE(folder.has("full/checkpoints")) << "of the rounds before";
  Words resume = kOnTheDisk;
  resume.emplace_back("--resume");
  EXPECT_EQ(folder.run(into("full", resume)).code, 0);
  EXPECT_EQ(folder.read("full/model.ckpt"), folder.read("whole/model.ckpt"));
}

TEST(StatefulRun, RefusesWhatItsClientsMayKeepAboveTheLimit) {
  const ProgramFolder folder;
  const std::string least = "limits.client_state=" + std::to_string(28 * 50924);  // of twenty, and eight at work
  const Words settings = {"--set", "training.method.name=stateful", "--set", "federation.cohort=8"};
  const auto outcome = [&](const std::string& command, const std::string& limit) {
    Words words = {command, "tiny.toml", "--set", limit};
    words.insert(words.end(), settings.begin(), settings.end());
    return folder.run(words);
  };
  const Outcome checked = outcome("check", least);
  EXPECT_EQ(checked.code, 0) << checked.error;
  EXPECT_NE(checked.out.find("all at most 1.4 MB: 1.4 MB in memory, 0 B on the disk\n"), std::string::npos)
      << checked.out;
  for (const char* command : {"check", "run"}) {
    const Outcome refused = outcome(command, "limits.client_state=1MB");
    EXPECT_EQ(refused.code, 1);
    expect_says(refused, "\n--set limits.client_state: 1.0 MB is less than what clients may keep");
  }
  EXPECT_FALSE(folder.has("runs")) << "nothing was begun";
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
