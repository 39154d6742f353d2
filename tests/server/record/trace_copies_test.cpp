#include "server/record/trace_copies.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace anybit {
namespace {

namespace fs = std::filesystem;

struct TraceCopies : testing::Test {
  fs::path folder = fs::temp_directory_path() / ("anybit_trace_copies_" + std::to_string(::getpid()));
  RunDirectory directory{folder / "run"};

  TraceCopies() { directory.create(); }
  ~TraceCopies() override { fs::remove_all(folder); }

  static void put(const fs::path& file, const std::string& text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  /// One class whose devices follow the trace "eu/week.csv", named by a scenario in `where`.
  static Fleet fleet_of(const fs::path& where) {
    Scenario scenario;
    scenario.data.clients = 1;
    FleetClass one;
    one.availability = {
        "trace", Options("fleet.class.availability", {"name"}), {(where / "scenario.toml").string(), 3}};
    one.availability.options.set("file", std::string("eu/week.csv"));
    scenario.fleet = {one};
    return make_fleet(scenario, {});
  }
};

TEST_F(TraceCopies, AreFoundByTheRunsOwnScenario) {
  put(folder / "eu/week.csv", "0,1,2\n");
  write_trace_copies(directory, fleet_of(folder));
  EXPECT_EQ(read_file(directory.traces() / "eu/week.csv"), "0,1,2\n");
  fs::remove_all(folder / "eu");
  EXPECT_EQ(fleet_of(directory.path()).next_available(0, 0), 1);
}

TEST_F(TraceCopies, OfAnEarlierRunGiveWay) {
  put(folder / "eu/week.csv", "0,1,2\n");
  put(directory.traces() / "eu/week.csv", "0,3,4\n");
  put(directory.traces() / "us/week.csv", "0,3,4\n");
  const Fleet fleet = fleet_of(folder);
  clear_trace_copies(directory, fleet);
  EXPECT_FALSE(fs::exists(directory.traces()));
  write_trace_copies(directory, fleet);
  EXPECT_EQ(read_file(directory.traces() / "eu/week.csv"), "0,1,2\n");
}

TEST_F(TraceCopies, StayWhereTheFleetIsReadFromThem) {
  put(directory.traces() / "eu/week.csv", "0,3,4\n");
  const Fleet fleet = fleet_of(directory.path());
  clear_trace_copies(directory, fleet);
  write_trace_copies(directory, fleet);
  EXPECT_EQ(read_file(directory.traces() / "eu/week.csv"), "0,3,4\n");
}

TEST_F(TraceCopies, ARunWithoutTracesHasNoFolder) {
  write_trace_copies(directory, Fleet());
  EXPECT_FALSE(fs::exists(directory.traces()));
}

TEST_F(TraceCopies, SayWhereTheyCannotBeMade) {
  put(folder / "eu/week.csv", "0,1,2\n");
  put(directory.traces(), "in the way");
  try {
    write_trace_copies(directory, fleet_of(folder));
    ADD_FAILURE() << "made";
  } catch (const RunError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with((directory.traces() / "eu").string() + ": cannot be made: "))
        << error.what();
  }
}

}  // namespace
}  // namespace anybit
