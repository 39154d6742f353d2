#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "data/availability/intervals.h"
#include "data/availability/trace_file.h"
#include "data/fleet.h"
#include "tests/data/files.h"

namespace anybit {
namespace {

constexpr double kForEver = std::numeric_limits<double>::infinity();

using Lines = std::vector<std::string>;

bool everybody(std::uint32_t) { return true; }

std::vector<Interval> read(const std::string& text, double repeat = 0,
                           const std::function<bool(std::uint32_t)>& is_member = everybody) {
  return TraceReader{"t.csv", 10, repeat, is_member}.read(text);
}

Lines mistakes_of(const std::string& text, double repeat = 0) {
  try {
    read(text, repeat);
  } catch (const ScenarioErrors& errors) {
    return errors.lines();
  }
  return {};
}

TEST(TraceReader, SortsByClientAndStart) {
  const std::vector<Interval> intervals = read("3,50,60\n1,5,7.5\n3,0,10\n");
  ASSERT_EQ(intervals.size(), 3U);
  EXPECT_EQ(intervals[0].client, 1U);
  EXPECT_EQ(intervals[0].end, 7.5);
  EXPECT_EQ(intervals[1].client, 3U);
  EXPECT_EQ(intervals[1].start, 0);
  EXPECT_EQ(intervals[2].start, 50);
}

TEST(TraceReader, MayHaveAHeaderSpacesAndEmptyLines) {
  EXPECT_EQ(read("client,start,end\r\n\r\n 1 , 5 ,\t7 \r\n").size(), 1U);
  EXPECT_EQ(read("1,5,7").size(), 1U) << "no end of the last line";
  EXPECT_TRUE(read("").empty());
}

TEST(TraceReader, LeavesOutWhoIsNoMember) {
  const auto even = [](std::uint32_t client) { return client % 2 == 0; };
  const std::vector<Interval> intervals = read("1,0,5\n2,0,5\n1,3,9\n2,7,9\n3,0,1\n", 0, even);
  EXPECT_EQ(intervals.size(), 2U);
  EXPECT_TRUE(std::ranges::all_of(intervals, [](const Interval& interval) { return interval.client == 2; }));
}

TEST(TraceReader, TellsEachMistakeWithItsLine) {
  EXPECT_EQ(mistakes_of("1,0,5\n2;0;5\n3,4\n4,1,2,3\n"),
            (Lines{"t.csv:2: expected client,start,end, not '2;0;5'", "t.csv:3: expected client,start,end, not '3,4'",
                   "t.csv:4: expected client,start,end, not '4,1,2,3'"}));
  EXPECT_EQ(mistakes_of("x,0,5\n-1,0,5\n1.5,0,5\n10,0,5\n9,0,5\n"),
            (Lines{"t.csv:1: 'x' is no client's number", "t.csv:2: '-1' is no client's number",
                   "t.csv:3: '1.5' is no client's number",
                   "t.csv:4: there is no client 10; data.clients is 10, so they are 0 to 9"}));
  EXPECT_EQ(mistakes_of("1,zero,5\n1,0,\n1,nan,5\n1,0,inf\n1,-3,5\n1,0,2e9\n"),
            (Lines{"t.csv:1: 'zero' is no number of seconds", "t.csv:2: '' is no number of seconds",
                   "t.csv:3: 'nan' is no number of seconds", "t.csv:4: 'inf' is no number of seconds",
                   "t.csv:5: -3 is negative; times are seconds since the run's beginning",
                   "t.csv:6: 2e9 is later than 1e+09 seconds"}));
  EXPECT_EQ(mistakes_of("1,5,5\n1,7,6\n"), (Lines{"t.csv:1: client 1: 5.0 to 5.0 does not end after its start",
                                                  "t.csv:2: client 1: 7.0 to 6.0 does not end after its start"}));
  EXPECT_EQ(mistakes_of("1,0,100\n1,200,300.5\n", 300),
            Lines{"t.csv:2: client 1: 200.0 to 300.5 ends after 'repeat', 300.0 seconds"});
  EXPECT_EQ(mistakes_of("client,start,end\nclient,start,end\n"), Lines{"t.csv:2: 'client' is no client's number"})
      << "one header";
  for (const std::string header : {"client,start,duration", "client,end,start", "foo,bar,baz"})
    EXPECT_EQ(mistakes_of(header + "\n1,5,0\n2,7,1\n"),
              Lines{"t.csv:1: the columns are called '" + header + "', but must be client,start,end"});
}

TEST(TraceReader, TellsBothLinesOfAnOverlap) {
  EXPECT_EQ(mistakes_of("1,200,400\n2,0,9\n1,300,500\n"),
            Lines{"t.csv:3: client 1: 300.0 to 500.0 overlaps 200.0 to 400.0 of line 1"});
  EXPECT_EQ(mistakes_of("1,300,500\n1,200,400\n"),
            Lines{"t.csv:2: client 1: 200.0 to 400.0 overlaps 300.0 to 500.0 of line 1"});
  EXPECT_EQ(mistakes_of("1,0,100\n1,10,20\n1,30,40\n"),
            (Lines{"t.csv:2: client 1: 10.0 to 20.0 overlaps 0.0 to 100.0 of line 1",
                   "t.csv:3: client 1: 30.0 to 40.0 overlaps 0.0 to 100.0 of line 1"}));
  EXPECT_EQ(mistakes_of("1,0,5\n1,0,5\n"), Lines{"t.csv:2: client 1: 0.0 to 5.0 overlaps 0.0 to 5.0 of line 1"});
  EXPECT_EQ(mistakes_of("1,0,5\n1,5,9\n2,3,7\n"), Lines{}) << "they touch";
}

TEST(TraceReader, TellsTheFirstOfManyMistakes) {
  std::string text;
  for (int line = 0; line < 1000; ++line) text += "wrong\n";
  const Lines lines = mistakes_of(text);
  ASSERT_EQ(lines.size(), 21U);
  EXPECT_EQ(lines[19], "t.csv:20: expected client,start,end, not 'wrong'");
  EXPECT_EQ(lines[20], "t.csv: there are more mistakes than these");
  text.resize(20 * std::string("wrong\n").size());
  EXPECT_EQ(mistakes_of(text).size(), 20U) << "there are no more";
  EXPECT_EQ(mistakes_of(text + "1,0,9\n1,5,7\n").back(), lines[20]) << "one of another kind";
}

TEST(Intervals, HoldFromStartToBeforeEnd) {
  const Intervals once(read("3,10,20\n3,30,40\n4,0,5\n"), 0);
  EXPECT_FALSE(once.available(3, 9.5));
  EXPECT_TRUE(once.available(3, 10));
  EXPECT_TRUE(once.available(3, 19.5));
  EXPECT_FALSE(once.available(3, 20));
  EXPECT_EQ(once.next(3, 0), 10);
  EXPECT_EQ(once.next(3, 15), 15);
  EXPECT_EQ(once.next(3, 20), 30);
  EXPECT_EQ(once.next(3, 40), kForEver);
  EXPECT_EQ(once.until(3, 0), 10);
  EXPECT_EQ(once.until(3, 10), 20);
  EXPECT_EQ(once.until(3, 20), 30);
  EXPECT_EQ(once.until(3, 40), kForEver);
  EXPECT_EQ(once.until(4, 0), 5) << "another client";
  EXPECT_FALSE(once.available(5, 0)) << "who is not listed";
  EXPECT_EQ(once.next(5, 0), kForEver);
  EXPECT_EQ(once.until(5, 0), kForEver);
  EXPECT_EQ(once.longest(3), 10);
  EXPECT_EQ(once.longest(5), 0);
}

TEST(Intervals, ThoseThatTouchAreOne) {
  const Intervals touching(read("1,10,20\n1,20,30\n"), 0);
  EXPECT_EQ(touching.until(1, 10), 30);
  EXPECT_EQ(touching.longest(1), 20);
}

TEST(Intervals, StartAgain) {
  const Intervals again(read("1,10,20\n1,60,70\n"), 100);
  EXPECT_TRUE(again.available(1, 215));
  EXPECT_FALSE(again.available(1, 225));
  EXPECT_EQ(again.next(1, 70), 110);
  EXPECT_EQ(again.next(1, 225), 260);
  EXPECT_EQ(again.until(1, 70), 110);
  EXPECT_EQ(again.until(1, 165), 170);
}

TEST(Intervals, GoOnPastTheEndOfARepetition) {
  const Intervals over(read("1,0,10\n1,90,100\n2,0,100\n3,0,50\n3,50,100\n"), 100);
  EXPECT_EQ(over.until(1, 95), 110);
  EXPECT_EQ(Intervals(read("1,10,20\n1,90,100\n"), 100).until(1, 95), 100) << "the next begins later";
  EXPECT_EQ(over.until(1, 110), 190);
  EXPECT_EQ(over.until(2, 5), kForEver);
  EXPECT_TRUE(over.available(2, 1e6));
  EXPECT_EQ(over.until(3, 5), kForEver);
  EXPECT_EQ(over.longest(1), 20);
  EXPECT_EQ(over.longest(2), kForEver);
}

/// Whoever sleeps until a turn must find it come, wherever the times lie between two doubles.
TEST(Intervals, ATurnHasComeWhenItsTimeHas) {
  for (double time : {0.0, 1e5, 1e8}) {
    const Intervals repeated(read("1,0.1,0.3\n1,33.333333,44.7\n1,70.000001,71.1\n"), 80.0625);
    for (int turns = 0; turns < 1000; ++turns) {
      const bool before = repeated.available(1, time);
      const double turn = repeated.until(1, time);
      ASSERT_GT(turn, time);
      ASSERT_LT(turn, time + 80.1);
      ASSERT_NE(repeated.available(1, turn), before) << time;
      ASSERT_TRUE(repeated.available(1, repeated.next(1, time)));
      for (const double part : {0.1, 0.37, 0.83})
        ASSERT_EQ(repeated.until(1, time + part * (turn - time)), turn) << "whenever one asks";
      time = turn + 0.01 / 3;  // off the grid of turns
    }
  }
}

/// A fleet of two classes, the first of which follows a trace.
struct TraceFleet : testing::Test {
  Folder folder;
  Scenario scenario;

  TraceFleet() {
    scenario.data.clients = 10;
    for (const char* name : {"phone", "other"}) {
      FleetClass one;
      one.name = name;
      one.share = 0.5;
      one.widths = {8};
      scenario.fleet.push_back(one);
    }
    scenario.fleet[0].availability = {
        "trace", Options("fleet.class.availability", {"name"}), {folder.path() + "/a.toml", 3}};
    set("file", std::string("trace.csv"));
  }

  void set(const std::string& key, const OptionValue& value) {
    scenario.fleet[0].availability.options.set(key, value, {folder.path() + "/a.toml", 4});
  }
  std::string write(const std::string& name, const std::string& text) const {
    return folder.write(name, Bytes(text.begin(), text.end()));
  }
  /// A line for each client of the class.
  std::string lines_of_all() const {
    const Fleet classes(scenario.fleet, scenario.seed);
    std::string text;
    for (std::uint32_t client = 0; client < 10; ++client)
      if (classes.class_of(client) == 0) text += std::to_string(client) + ",5,9\n";
    return text;
  }
  Lines mistakes(const std::vector<std::string>& directories = {}) const {
    try {
      make_fleet(scenario, directories);
    } catch (const ScenarioErrors& errors) {
      return errors.lines();
    }
    return {};
  }
  std::string at() const { return folder.path() + "/a.toml:4: fleet.class.availability."; }
};

TEST_F(TraceFleet, FollowsTheTrace) {
  const std::string path = write("trace.csv", lines_of_all());
  const Fleet fleet = make_fleet(scenario, {});
  for (std::uint32_t client = 0; client < 10; ++client) {
    const bool is_phone = fleet.class_of(client) == 0;
    EXPECT_EQ(fleet.next_available(client, 0), is_phone ? 5 : 0);
    EXPECT_EQ(fleet.next_available(client, 9), is_phone ? kForEver : 9);
  }
  ASSERT_EQ(fleet.traces().size(), 1U);
  EXPECT_EQ(fleet.traces()[0].name, "trace.csv");
  EXPECT_EQ(fleet.traces()[0].path, path);
}

TEST_F(TraceFleet, KnowsTheTraceByItsBytes) {
  scenario.data.clients = 1;
  scenario.fleet.pop_back();
  write("trace.csv", "0,5,9\n");
  EXPECT_EQ(make_fleet(scenario, {}).traces().at(0).checksum, "trace/trace.csv a97ab7b8 6");  // as Python's zlib.crc32
}

TEST_F(TraceFleet, IsLookedForBesideTheScenarioThenInTheDataDirectories) {
  const std::string text = lines_of_all();
  const std::string elsewhere = write("data/trace.csv", text);
  EXPECT_EQ(make_fleet(scenario, {folder.path() + "/data"}).traces().at(0).path, elsewhere);
  const std::string below = write("traces/trace.csv", text);
  EXPECT_EQ(make_fleet(scenario, {folder.path() + "/data"}).traces().at(0).path, below);
  const std::string beside = write("trace.csv", text);
  EXPECT_EQ(make_fleet(scenario, {folder.path() + "/data"}).traces().at(0).path, beside);
}

TEST_F(TraceFleet, IsReadOnceForTheRecordWhereTwoClassesShareIt) {
  scenario.fleet[1].availability = scenario.fleet[0].availability;
  std::string all;
  for (int client = 0; client < 10; ++client) all += std::to_string(client) + ",5,9\n";
  write("trace.csv", all);
  EXPECT_EQ(make_fleet(scenario, {}).traces().size(), 1U);
}

TEST_F(TraceFleet, SaysWhereItWasLookedFor) {
  const std::string path = folder.path();
  EXPECT_EQ(mistakes({path + "/data"}), Lines{at() + "file: there is no such file: none of " + path + "/trace.csv, " +
                                              path + "/traces/trace.csv, " + path + "/data/trace.csv"});
}

TEST_F(TraceFleet, TellsWhereAMissingDefaultFileIsNamed) {
  scenario.fleet[0].availability.options = Options("fleet.class.availability", {"name"});
  const std::string path = folder.path();
  EXPECT_EQ(mistakes(), Lines{path + "/a.toml:3: fleet.class.availability.file: there is no such file: none of " +
                              path + "/availability.csv, " + path + "/traces/availability.csv"});
}

TEST_F(TraceFleet, OfACommandLineIsLookedForInTheCurrentFolder) {
  scenario.fleet[0].availability.where = override_position("fleet.class");
  scenario.fleet[0].availability.options.set("file", std::string("trace.csv"), override_position("fleet.class"));
  write("trace.csv", lines_of_all());
  EXPECT_EQ(mistakes(), Lines{"--set fleet.class: fleet.class.availability.file: there is no such file: none of "
                              "./trace.csv, ./traces/trace.csv"});
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  EXPECT_EQ(make_fleet(scenario, {}).traces().at(0).path, "./trace.csv");
  std::filesystem::current_path(before);
}

TEST_F(TraceFleet, RefusesAClientWithoutALine) {
  std::string text = lines_of_all();
  const auto clients = std::ranges::count(text, '\n');
  ASSERT_GE(clients, 3);
  const std::string first = text.substr(0, text.find(','));
  const std::string path = write("trace.csv", text.substr(text.find('\n') + 1));
  EXPECT_EQ(mistakes(), Lines{at() + "file: " + path +
                              " has no line for clients of this class: 1 of them, the first is "
                              "client " +
                              first});
  write("trace.csv", "");
  EXPECT_EQ(mistakes(), Lines{at() + "file: " + path + " has no line for clients of this class: " +
                              std::to_string(clients) + " of them, the first is client " + first});
}

TEST_F(TraceFleet, RefusesANameThatLeadsElsewhere) {
  for (const char* name : {"", "/etc/passwd", "../trace.csv", "a/../../b", "a\nb", "folder/"}) {
    set("file", std::string(name));
    const Lines lines = mistakes();
    ASSERT_EQ(lines.size(), 1U) << name;
    EXPECT_TRUE(lines[0].starts_with(at() + "file: '" + name + "' is not the name of a file")) << lines[0];
  }
}

TEST_F(TraceFleet, TellsWhatIsWrongInTheFile) {
  const std::string path = write("trace.csv", "1,0,5\n99,0,5\n");
  EXPECT_EQ(mistakes(), Lines{path + ":2: there is no client 99; data.clients is 10, so they are 0 to 9"});
}

TEST_F(TraceFleet, RefusesNegativeRepetitions) {
  write("trace.csv", lines_of_all());
  set("repeat", -1.0);
  EXPECT_EQ(mistakes().size(), 1U);
  EXPECT_TRUE(mistakes()[0].starts_with(at() + "repeat: ")) << mistakes()[0];
  set("repeat", 2e9);
  EXPECT_EQ(mistakes(), Lines{at() + "repeat: must be 0, for never, or 1 to 1e+09 seconds"});
  set("repeat", 1e-9);  // no step of the time grid
  EXPECT_EQ(mistakes(), Lines{at() + "repeat: must be 0, for never, or 1 to 1e+09 seconds"});
}

}  // namespace
}  // namespace anybit
