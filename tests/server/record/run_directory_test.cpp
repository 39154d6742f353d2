#include "server/record/run_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

namespace anybit {
namespace {

namespace fs = std::filesystem;

struct RunDirectoryTest : testing::Test {
  fs::path path = fs::temp_directory_path() / ("anybit_run_directory_" + std::to_string(::getpid()));
  RunDirectory directory{path};
  ~RunDirectoryTest() override { fs::remove_all(path); }

  const std::string two_rounds = "{\"round\": 1, \"x\": 0}\n{\"round\": 2, \"x\": 0}\n";
  const std::string events_of_two =
      "0 started 0 0 -\n0 update 4 0 00000001\n0 update 5 0 00000002\n0 concluded 0 0 -\n"
      "0 lost 4 1 battery\n0 update 5 0 00000002\n0 update 6 1 00000002\n1 time 0 1 -\n1 concluded 0 1 -\n";

  void put(const fs::path& file, const std::string& text) { std::ofstream(file, std::ios::binary) << text; }
};

TEST_F(RunDirectoryTest, KnowsWhetherARunWasBegun) {
  EXPECT_FALSE(directory.holds_run());
  directory.create();
  EXPECT_TRUE(directory.holds_run());
  EXPECT_FALSE(directory.is_finished());
  put(directory.model(), "");
  EXPECT_TRUE(directory.is_finished());
}

TEST_F(RunDirectoryTest, CutsBackToAVersion) {
  directory.create();
  put(directory.metrics(), two_rounds + "{\"round\": 3, \"x\": 0}\n{\"round\": 4,");
  put(directory.events(), events_of_two + "0 update 6 2 00000003\n0 upd");
  directory.cut_back(2);
  EXPECT_EQ(read_file(directory.metrics()), two_rounds);
  EXPECT_EQ(read_file(directory.events()), events_of_two);
  directory.cut_back(0);
  EXPECT_EQ(read_file(directory.metrics()), "");
  EXPECT_EQ(read_file(directory.events()), "") << "its start is logged again";
}

TEST_F(RunDirectoryTest, RefusesFilesThatLackARoundOfTheCheckpoint) {
  directory.create();
  const std::string advice =
      " is not whole there, but the checkpoint is of round 2; put the file back from a copy, or start the run anew "
      "(--force)";
  const auto refused = [&](const std::string& metrics, const std::string& events) -> std::string {
    put(directory.metrics(), metrics);
    put(directory.events(), events);
    try {
      directory.cut_back(2);
    } catch (const RunError& error) {
      EXPECT_EQ(read_file(directory.metrics()), metrics);
      EXPECT_EQ(read_file(directory.events()), events);
      return std::string(error.what()).substr(path.string().size());
    }
    return "";
  };
  EXPECT_EQ(refused(two_rounds, events_of_two), "");
  EXPECT_EQ(refused("{\"round\": 1, \"x\": 0}\n", events_of_two), "/metrics.jsonl:1: round 2" + advice);
  EXPECT_EQ(refused(two_rounds.substr(0, two_rounds.size() - 1), events_of_two), "/metrics.jsonl:1: round 2" + advice);
  EXPECT_EQ(refused("{\"round\": 2, \"x\": 0}\n", events_of_two), "/metrics.jsonl:1: round 1" + advice);
  const std::string started = "0 started 0 0 -\n";
  EXPECT_EQ(refused(two_rounds, ""), "/events.log:0: round 1" + advice);
  EXPECT_EQ(refused(two_rounds, started), "/events.log:1: round 1" + advice);
  EXPECT_EQ(refused(two_rounds, started + "0 update 4 0 00000001\n0 lost 5 1 battery\n"),
            "/events.log:3: round 1" + advice);
  EXPECT_EQ(refused(two_rounds, started + "0 concluded 0 1 -\n"), "/events.log:2: round 1" + advice);
  EXPECT_EQ(refused(two_rounds, started + "0 update 4 0 xxxxxxxx\n"), "/events.log:2: round 1" + advice);
  EXPECT_EQ(refused(two_rounds, events_of_two.substr(0, events_of_two.size() - 2)), "/events.log:8: round 2" + advice);
}

TEST_F(RunDirectoryTest, RemovesWhatAKilledProcessLeft) {
  directory.create();
  for (const char* name : {"model.ckpt", "model.ckpt.part", "scenario.toml.part", "provenance.json.part", "mine.part"})
    put(path / name, "x");
  directory.remove_leftovers();
  for (const char* name : {"model.ckpt.part", "scenario.toml.part", "provenance.json.part"})
    EXPECT_FALSE(fs::exists(path / name)) << name;
  EXPECT_TRUE(fs::exists(path / "mine.part"));
  EXPECT_TRUE(fs::exists(directory.model()));
}

TEST_F(RunDirectoryTest, IsLockedForOneAtATime) {
  directory.create();
  {
    const RunLock first(directory);
    try {
      const RunLock second(directory);
      FAIL() << "locked twice";
    } catch (const RunError& error) {
      EXPECT_TRUE(std::string(error.what()).starts_with("another process runs in " + path.string())) << error.what();
    }
  }
  const RunLock third(directory);
}

TEST_F(RunDirectoryTest, ClearsItsOwnFilesOnly) {
  directory.create();
  put(directory.metrics(), "x");
  put(path / "notes.txt", "mine");
  put(path / "accuracy_by_hand.txt", "mine");
  const std::vector<std::string> pictures = {"accuracy_by_round.png", "accuracy_by_width.svg", "accuracy_by_cost.png",
                                             "energy_by_class.svg", "timeline.png"};
  for (const std::string& picture : pictures) put(path / picture, "x");
  put(directory.checkpoints() / "checkpoint-000001.ckpt", "x");
  put(directory.checkpoints() / "kept.ckpt", "x");
  directory.clear();
  EXPECT_FALSE(fs::exists(directory.metrics()));
  EXPECT_FALSE(fs::exists(directory.checkpoints() / "checkpoint-000001.ckpt"));
  for (const std::string& picture : pictures) EXPECT_FALSE(fs::exists(path / picture));
  for (const char* text : {"notes.txt", "accuracy_by_hand.txt"}) EXPECT_TRUE(fs::exists(path / text));
  EXPECT_TRUE(fs::exists(directory.checkpoints() / "kept.ckpt"));
}

TEST_F(RunDirectoryTest, SaysWhereItCannotBe) {
  put(path, "a file");
  try {
    directory.create();
    FAIL();
  } catch (const RunError& error) {
    EXPECT_NE(std::string(error.what()).find("; name another"), std::string::npos);
  }
}

}  // namespace
}  // namespace anybit
