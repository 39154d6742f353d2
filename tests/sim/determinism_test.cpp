// The same checkpoint bytes, whatever happened on the way; by the real program, once for each instruction set.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <set>
#include <sstream>

#include "server/checkpoint.h"
#include "server/record/metrics.h"
#include "tests/program/started_program.h"
#include "tests/server/tiny_scenario.h"

namespace anybit {
namespace {

class Determinism : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "best" && instruction_sets().size() == 1) GTEST_SKIP() << "machine: no AVX-512";
  }

  std::vector<std::string> command(const std::string& out, const std::vector<std::string>& more = {}) const {
    std::vector<std::string> all{"run", "tiny.toml", "--isa", GetParam(), "--out", out};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  std::string model(const std::string& out, const std::vector<std::string>& more = {}) const {
    const Outcome outcome = folder.run(command(out, more));
    EXPECT_EQ(outcome.code, 0) << outcome.error;
    return folder.read(out + "/model.ckpt");
  }

  void expect_clean_interrupt(std::vector<std::string> more, const std::string& file, unsigned microseconds,
                              const std::string& reference) const;

  /// Each round exactly once, in order.
  void expect_rounds(const std::string& out, int rounds) const {
    std::istringstream lines(folder.read(out + "/metrics.jsonl"));
    int round = 0;
    for (std::string line; std::getline(lines, line);)
      EXPECT_EQ(round_of_metrics_line(line), static_cast<std::uint32_t>(++round)) << line;
    EXPECT_EQ(round, rounds);
  }

  ProgramFolder folder;
};

TEST_P(Determinism, ThreadsAndTransports) {
  for (const char* cohort : {"1", "3", "10"}) {
    const std::string set = std::string("federation.cohort=").append(cohort);
    const std::string reference = model("a", {"--force", "--threads", "1", "--set", set});
    ASSERT_FALSE(reference.empty());
    EXPECT_EQ(model("b", {"--force", "--threads", "2", "--set", set}), reference);
    EXPECT_EQ(folder.read("b/events.log"), folder.read("a/events.log"));
    for (const char* threads : {"1", "2"})
      EXPECT_EQ(model("c", {"--force", "--threads", threads, "--set", set, "--set", "federation.transport=tcp"}),
                reference);
    EXPECT_EQ(folder.read("c/events.log"), folder.read("a/events.log"));
    for (const char* run : {"a", "b", "c"}) {
      const Outcome replay = folder.run({"replay", run, "--isa", GetParam()});
      EXPECT_EQ(replay.code, 0) << replay.error;
    }
  }
}

// Two threads share the sum of a model of this size.
TEST_P(Determinism, ThreadsAndTransportsOfALargeModel) {
  const std::vector<std::string> large = {"--force", "--set", "model.hidden=[512]", "--set", "federation.rounds=2"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), large.begin(), large.end());
    return more;
  };
  const std::string reference = model("a", with({"--threads", "1"}));
  ASSERT_FALSE(reference.empty());
  EXPECT_TRUE(model("b", with({"--threads", "2"})) == reference);  // no print of megabytes
  EXPECT_TRUE(model("c", with({"--threads", "2", "--set", "federation.transport=tcp"})) == reference);
  EXPECT_EQ(folder.run({"replay", "c", "--isa", GetParam()}).code, 0);
}

class Killed : public Determinism {
 protected:
  std::set<std::string> checkpoints() const {
    std::set<std::string> names;
    std::error_code missing;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "killed/checkpoints", missing))
      if (entry.path().extension() == ".ckpt") names.insert(entry.path().filename());
    return names;
  }

  void wait_for_a_new_checkpoint(const Program& program) const {
    const std::set<std::string> before = checkpoints();
    program.wait_until([&] { return checkpoints() != before || folder.has("killed/model.ckpt"); });
  }

  /// Starts and resumes the run until it is through, killing it at most `most` times: a random time after its start, or
  /// after a new checkpoint. Returns the times.
  std::string kill(const std::vector<std::string>& settings, int most) const {
    std::random_device seed;
    std::string history;
    for (int attempt = 0; attempt < most; ++attempt) {
      std::vector<std::string> more = settings;
      if (attempt > 0) more.emplace_back("--resume");
      Program program(folder.path(), command("killed", more));
      const bool anywhere = attempt % 4 == 3;
      if (!anywhere) wait_for_a_new_checkpoint(program);
      const unsigned delay = seed() % (anywhere ? 300 : 60);
      ::usleep(delay * 1000);
      program.signal(SIGKILL);
      if (program.wait().code == 0) break;
      history.append(" ").append(std::to_string(delay));
    }
    return history;
  }

  /// Whatever the kills, the same bytes as without any; the undisturbed run is in memory. Where there are `seconds`
  /// between checkpoints, a killed run leaves records of rounds behind its last one.
  void expect_same_bytes(const std::string& transport, int cohort, int rounds, const std::string& seconds, int most,
                         const std::vector<std::string>& more = {"training.optimizer.rate=0.02"}) const {
    std::vector<std::string> settings = {"--set", "federation.rounds=" + std::to_string(rounds), "--set",
                                         "federation.cohort=" + std::to_string(cohort)};
    for (const std::string& setting : more) settings.insert(settings.end(), {"--set", setting});
    const std::string reference = model("whole", settings);
    settings.insert(settings.end(),
                    {"--set", "checkpoint.seconds=" + seconds, "--set", "federation.transport=" + transport});
    const std::string history = kill(settings, most);
    SCOPED_TRACE("killed after milliseconds:" + history);
    EXPECT_NE(history, "");
    settings.emplace_back("--resume");
    EXPECT_TRUE(model("killed", settings) == reference);  // no print of 50 kB
    EXPECT_TRUE(folder.read("killed/events.log") == folder.read("whole/events.log"));
    const std::string lines = folder.read("whole/metrics.jsonl");
    const auto attempts = static_cast<int>(std::count(lines.begin(), lines.end(), '\n'));
    EXPECT_GE(attempts, rounds);
    expect_rounds("killed", attempts);
    EXPECT_EQ(folder.run({"replay", "killed", "--isa", GetParam()}).code, 0);
  }
};

TEST_P(Killed, InMemory) { expect_same_bytes("memory", 3, 150, "0", 12); }
TEST_P(Killed, InMemoryWithACohortOfOne) { expect_same_bytes("memory", 1, 1500, "0.05", 6); }
TEST_P(Killed, InMemoryWithACohortOfTen) { expect_same_bytes("memory", 10, 150, "0.05", 6); }
TEST_P(Killed, InMemoryWithAbandonedRounds) {
  expect_same_bytes("memory", 3, 100, "0", 6,
                    explosive_with({"federation.over_selection=1.5", "federation.minimum=2", "federation.deadline=9",
                                    "federation.give_up=1000"}));
  EXPECT_NE(folder.read("whole/metrics.jsonl").find("\"abandoned\": true"), std::string::npos);
}
TEST_P(Killed, OverTcp) { expect_same_bytes("tcp", 3, 200, "0.05", 6); }
TEST_P(Killed, OverTcpWithACohortOfOne) { expect_same_bytes("tcp", 1, 300, "0", 6); }
TEST_P(Killed, OverTcpWithACohortOfTen) { expect_same_bytes("tcp", 10, 150, "0.05", 6); }

/// Interrupts the run `microseconds` after the file is there; it goes on to the reference.
void Determinism::expect_clean_interrupt(std::vector<std::string> more, const std::string& file, unsigned microseconds,
                                         const std::string& reference) const {
  std::filesystem::remove_all(folder.path() / "stopped");
  Program program(folder.path(), command("stopped", more));
  program.wait_until([&] { return folder.has(file); });
  ::usleep(microseconds);
  program.signal(SIGINT);
  const Outcome outcome = program.wait();
  EXPECT_EQ(outcome.code, 130) << outcome.error;
  EXPECT_NE(outcome.error.find("resume with: anybit-sim run tiny.toml --set federation.rounds="), std::string::npos)
      << outcome.error;
  EXPECT_FALSE(folder.has("stopped/model.ckpt"));
  const auto checkpoint = latest_checkpoint((folder.path() / "stopped/checkpoints").string());
  ASSERT_TRUE(checkpoint) << outcome.error;
  const std::string after = "after round " + std::to_string(checkpoint->checkpoint.state.version);
  EXPECT_NE(outcome.error.find("interrupted " + after), std::string::npos) << outcome.error;
  more.emplace_back("--resume");
  const Outcome resumed = folder.run(command("stopped", more));
  EXPECT_EQ(resumed.code, 0);
  EXPECT_NE(resumed.error.find("going on " + after), std::string::npos) << resumed.error;
  EXPECT_EQ(folder.read("stopped/model.ckpt"), reference);
}

TEST_P(Determinism, InterruptedByCtrlC) {
  const std::vector<std::string> more = {"--set", "federation.rounds=600"};
  expect_clean_interrupt(more, "stopped/events.log", 50000, model("whole", more));
  expect_rounds("stopped", 600);
}

TEST_P(Determinism, InterruptedBeforeTheFirstRoundIsOver) {
  // A client trains for seconds: there is no round to save yet.
  const std::vector<std::string> more = {"--set", "federation.rounds=1", "--set", "training.epochs=3000", "--threads",
                                         "1"};
  expect_clean_interrupt(more, "stopped/events.log", 20000, model("whole", more));
  expect_rounds("stopped", 1);
}

/// A convolutional network with momentum, and both ways compressed.
std::vector<std::string> convolutional(const std::vector<std::string>& more) {
  std::vector<std::string> all;
  for (const char* setting : {"model.name=lenet", "data.clients=4", "data.examples=10", "federation.cohort=3",
                              "federation.rounds=6", "training.optimizer.momentum=0.9", "training.optimizer.rate=0.02",
                              "federation.downlink.name=uniform", "checkpoint.seconds=0"}) {
    all.emplace_back("--set");
    all.emplace_back(setting);
  }
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST_P(Determinism, Convolutions) {
  const std::vector<std::string> tcp = {"--set", "federation.transport=tcp", "--threads", "2"};
  const std::string reference = model("a", convolutional({"--threads", "1"}));
  ASSERT_FALSE(reference.empty());
  EXPECT_EQ(model("b", convolutional({"--threads", "2"})), reference);
  EXPECT_EQ(model("c", convolutional(tcp)), reference);

  Program program(folder.path(), command("killed", convolutional(tcp)));
  program.wait_until(
      [&] { return folder.has("killed/checkpoints/checkpoint-000002.ckpt") || folder.has("killed/model.ckpt"); });
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait().code, 128 + SIGKILL) << "it was over before";
  std::vector<std::string> rest = convolutional(tcp);
  rest.emplace_back("--resume");
  EXPECT_EQ(model("killed", rest), reference);
  for (const char* log : {"b/events.log", "c/events.log", "killed/events.log"})
    EXPECT_EQ(folder.read(log), folder.read("a/events.log")) << log;
  expect_rounds("killed", 6);
  EXPECT_EQ(folder.run({"replay", "killed", "--isa", GetParam()}).code, 0);
}

// A client with 50 of the 60 examples: its batches are cut.
TEST_P(Determinism, AClientThatIsCut) {
  const auto with = [&](std::vector<std::string> more) {
    for (const char* setting : {"model.name=resnet8", "data.clients=3", "data.partition.name=quantity",
                                "data.partition.alpha=1e-6", "data.partition.minimum=5", "checkpoint.seconds=0",
                                "training.method.activations=32", "federation.rounds=6"}) {
      more.emplace_back("--set");
      more.emplace_back(setting);
    }
    return more;
  };
  const std::string reference = model("a", with({"--threads", "1"}));
  ASSERT_FALSE(reference.empty());
  EXPECT_TRUE(model("b", with({"--threads", "2"})) == reference);
  EXPECT_TRUE(model("c", with({"--threads", "3", "--set", "federation.transport=tcp"})) == reference);

  Program program(folder.path(), command("killed", with({"--threads", "2"})));
  program.wait_until(
      [&] { return folder.has("killed/checkpoints/checkpoint-000002.ckpt") || folder.has("killed/model.ckpt"); });
  program.signal(SIGKILL);
  EXPECT_EQ(program.wait().code, 128 + SIGKILL) << "it was over before";
  EXPECT_TRUE(model("killed", with({"--threads", "3", "--resume"})) == reference);
  for (const char* log : {"b/events.log", "c/events.log", "killed/events.log"})
    EXPECT_EQ(folder.read(log), folder.read("a/events.log")) << log;
  EXPECT_EQ(folder.run({"replay", "killed", "--isa", GetParam()}).code, 0);
}

// GroupNorm, average pooling and shortcuts.
TEST_P(Determinism, ResidualNetwork) {
  const std::vector<std::string> settings = {"--set", "model.name=resnet8", "--set", "data.clients=4",
                                             "--set", "data.examples=6",    "--set", "federation.rounds=3"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.end(), settings.begin(), settings.end());
    return more;
  };
  const std::string reference = model("a", with({"--threads", "1"}));
  ASSERT_FALSE(reference.empty());
  EXPECT_TRUE(model("b", with({"--threads", "2"})) == reference);
  EXPECT_EQ(folder.read("b/events.log"), folder.read("a/events.log"));
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Killed, testing::Values("avx2", "best"),
                         [](const testing::TestParamInfo<std::string>& set) { return set.param; });
INSTANTIATE_TEST_SUITE_P(InstructionSets, Determinism, testing::Values("avx2", "best"),
                         [](const testing::TestParamInfo<std::string>& set) { return set.param; });

}  // namespace
}  // namespace anybit
