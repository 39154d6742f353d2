#include "scenarios/fleet_read.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/scenarios/scenario_fixtures.h"

namespace anybit {
namespace {

namespace fs = std::filesystem;

const std::string kPhone = "[[fleet.class]]\nname = \"phone\"\nshare = 1.0\nwidths = [8, 4]\n";

TEST(ReadFleet, AClassThatSaysNoMoreTakesNothing) {
  const FleetClass phone = read(kSmallest + kPhone).fleet.at(0);
  for (const double value : {phone.compute, phone.compute_spread, phone.memory, phone.down, phone.up, phone.link_spread,
                             phone.latency, phone.energy_flop, phone.energy_byte, phone.idle_power, phone.drop_out})
    EXPECT_EQ(value, 0);
  EXPECT_EQ(phone.availability.name, "always");
}

const std::string kAllKeys =
    "compute = 2e9\ncompute_spread = 0.5\nmemory = \"512MB\"\ndown = 2e6\nup = 5e5\nlink_spread = 0.25\n"
    "latency = 0.05\nenergy_flop = 1e-10\nenergy_byte = 2e-7\nidle_power = 1.5\ndrop_out = 0.125\n";

TEST(ReadFleet, HasAllKeysOfAClass) {
  const std::string text = kSmallest + kPhone + kAllKeys + "[fleet.class.availability]\nname = \"diurnal\"\nfrom = 8\n";
  const FleetClass phone = read(text).fleet.at(0);
  EXPECT_EQ(phone.compute, 2e9);
  EXPECT_EQ(phone.compute_spread, 0.5);
  EXPECT_EQ(phone.memory, 512e6);
  EXPECT_EQ(phone.down, 2e6);
  EXPECT_EQ(phone.up, 5e5);
  EXPECT_EQ(phone.link_spread, 0.25);
  EXPECT_EQ(phone.latency, 0.05);
  EXPECT_EQ(phone.energy_flop, 1e-10);
  EXPECT_EQ(phone.energy_byte, 2e-7);
  EXPECT_EQ(phone.idle_power, 1.5);
  EXPECT_EQ(phone.drop_out, 0.125);
  EXPECT_EQ(phone.availability.name, "diurnal");
  EXPECT_EQ(phone.availability.options.integer("from"), 8);
  EXPECT_EQ(phone.availability.options.path(), "fleet.class.availability");
  EXPECT_EQ(phone.availability.where.line, 25);
}

TEST(ReadFleet, EachNumberHasItsLimits) {
  const auto mistake_of = [](const std::string& line) { return mistakes_of(kSmallest + kPhone + line + "\n"); };
  const std::vector<std::pair<std::string, std::string>> limited = {
      {"latency", "1e+06"}, {"energy_flop", "1000.0"}, {"energy_byte", "1000.0"}, {"idle_power", "1e+06"}};
  for (const auto& [key, most] : limited)
    EXPECT_EQ(mistake_of(key + " = 1e308"),
              Lines{"a.toml:13: fleet.class." + key + ": 1e+308 is out of range; accepted: 0.0 to " + most});
  for (const char* key : {"compute", "down", "up", "memory"})
    EXPECT_EQ(mistake_of(std::string(key) + " = -1.0"),
              Lines{"a.toml:13: fleet.class." + std::string(key) +
                    ": -1.0 is out of range; accepted: finite and at least 0.0"});
  for (const char* key : {"compute_spread", "link_spread"}) {
    EXPECT_EQ(mistake_of(std::string(key) + " = 3"), Lines{});
    EXPECT_EQ(mistake_of(std::string(key) + " = 3.5"),
              Lines{"a.toml:13: fleet.class." + std::string(key) + ": 3.5 is out of range; accepted: 0.0 to 3.0"});
  }
  EXPECT_EQ(mistake_of("drop_out = 1"), Lines{});
  EXPECT_EQ(mistake_of("drop_out = 1.5"),
            Lines{"a.toml:13: fleet.class.drop_out: 1.5 is out of range; accepted: 0.0 to 1.0"});
  EXPECT_EQ(
      mistake_of("memory = \"much\""),
      Lines{"a.toml:13: fleet.class.memory: 'much' is no number of bytes; accepted: a number, or one of B, kB, MB, "
            "GB, MiB, GiB, as in 512MB"});
}

TEST(ReadFleet, AClassHasANameOfOneLine) {
  const auto mistake_of = [](const std::string& name) {
    return mistakes_of(kSmallest + "[[fleet.class]]\nname = \"" + name + "\"\nshare = 1.0\nwidths = [8]\n");
  };
  const std::string reason = " cannot name a class: it must not be empty or hold control characters";
  EXPECT_EQ(mistake_of(""), Lines{"a.toml:10: fleet.class.name: ''" + reason});
  for (const char* letter : {"\\n", "\\r", "\\t", "\\u007F"}) EXPECT_EQ(mistake_of(letter).size(), 1U) << letter;
  EXPECT_EQ(mistake_of("slow, \\\"at\\\" night, µC"), Lines{}) << "tasks.csv quotes it";
}

/// A folder with scenario.toml and the files of fleets, gone afterwards.
struct FleetFiles : testing::Test {
  fs::path folder = fs::path(testing::TempDir()) / ("fleet_read_" + std::to_string(::getpid()));

  void SetUp() override { fs::create_directories(folder / "fleets"); }
  void TearDown() override { fs::remove_all(folder); }

  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(folder / name) << text;
    return (folder / name).string();
  }
  Scenario scenario(const std::string& more, const std::vector<Override>& overrides = {}) const {
    return read_scenario(write("scenario.toml", kSmallest + more), overrides);
  }
  Lines mistakes(const std::string& more, const std::vector<Override>& overrides = {}) const {
    try {
      scenario(more, overrides);
    } catch (const ScenarioErrors& errors) {
      return errors.lines();
    }
    return {};
  }
  std::string path(const std::string& name) const { return (folder / name).string(); }
};

const std::string kFrom = "[fleet]\nfrom = \"fleets/phones.toml\"\n";

TEST_F(FleetFiles, AreFoundBesideTheScenarioAndWrittenOut) {
  write("fleets/phones.toml", "note = \"assumed\"\n" + kPhone + kAllKeys);
  const Scenario named = scenario(kFrom);
  ASSERT_EQ(named.fleet.size(), 1U);
  EXPECT_EQ(named.fleet[0].name, "phone");
  EXPECT_EQ(named.fleet[0].where.file, path("fleets/phones.toml"));
  EXPECT_EQ(named.fleet[0].where.line, 2);
  EXPECT_EQ(write_scenario(named), write_scenario(scenario(kPhone + kAllKeys)));
}

TEST_F(FleetFiles, CanBeNamedByTheirWholePathAndByOverride) {
  const std::string phones = write("fleets/phones.toml", kPhone);
  EXPECT_EQ(scenario("[fleet]\nfrom = \"" + phones + "\"\n").fleet.size(), 1U);
  EXPECT_EQ(scenario("", {{"fleet.from", phones}}).fleet.size(), 1U);
  EXPECT_EQ(scenario("", {{"fleet.from", "fleets/phones.toml"}}).fleet.size(), 1U);
}

TEST_F(FleetFiles, BesideTheScenarioComeFirst) {
  const std::string name = folder.filename().string() + ".toml";
  write(name, kPhone);
  std::ofstream(name) << "[[fleet.class]]\nname = \"here\"\nshare = 1.0\nwidths = [8]\n";
  EXPECT_EQ(scenario("", {{"fleet.from", name}}).fleet.at(0).name, "phone");
  fs::remove(folder / name);
  EXPECT_EQ(scenario("", {{"fleet.from", name}}).fleet.at(0).name, "here");
  fs::create_directory(folder / name);
  EXPECT_EQ(scenario("", {{"fleet.from", name}}).fleet.at(0).name, "here") << "a folder is no file";
  fs::remove(name);
}

const std::string kOther = "[[fleet.class]]\nname = \"other\"\nshare = 1.0\nwidths = [8]\n";

TEST_F(FleetFiles, GoWithoutClassesOfTheScenariosOwn) {
  write("fleets/phones.toml", kPhone);
  EXPECT_EQ(mistakes(kFrom + kOther),
            Lines{path("scenario.toml") + ":10: fleet.from: there is fleet.class, too; keep one of the two"});
  EXPECT_EQ(mistakes(kFrom + "class = []\n").size(), 1U) << "an empty list is one, too";
}

TEST_F(FleetFiles, AnOverrideTakesTheFilesPlace) {
  write("fleets/phones.toml", kPhone);
  const Override from = {"fleet.from", "fleets/phones.toml"};
  const Override classes = {"fleet.class", "[{name = \"third\", share = 1.0, widths = 8}]"};
  EXPECT_EQ(scenario(kOther, {from}).fleet.at(0).name, "phone");
  EXPECT_EQ(scenario(kFrom, {classes}).fleet.at(0).name, "third");
  EXPECT_TRUE(scenario(kFrom, {{"fleet.class", "[]"}}).fleet.empty());
  EXPECT_EQ(mistakes(kOther, {from, classes}),
            Lines{"--set fleet.from: there is fleet.class, too; keep one of the two"});
}

TEST_F(FleetFiles, HaveTheirMistakesAtTheirOwnLines) {
  write("fleets/phones.toml", "colour = 1\n[fleet]\nfrom = \"x\"\n" + kPhone + "speed = 2\ndrop_out = 2\n");
  const std::string file = path("fleets/phones.toml");
  EXPECT_EQ(mistakes(kFrom + "[checkpoint]\nx = 1\n"),
            (Lines{file + ":1: unknown key 'colour'; known: name, note, fleet",
                   file + ":3: unknown key 'from' in [fleet]; known: class",
                   file + ":8: unknown key 'speed' in [fleet.class]; known: name, share, widths, compute, "
                          "compute_spread, memory, down, up, link_spread, latency, energy_flop, energy_byte, "
                          "idle_power, drop_out, availability",
                   file + ":9: fleet.class.drop_out: 2.0 is out of range; accepted: 0.0 to 1.0",
                   path("scenario.toml") + ":12: unknown key 'x' in [checkpoint]; known: seconds, keep"}))
      << "file after file, the first first that has one";
  write("fleets/phones.toml", "[[fleet.class]]\nname = \"a\"\nshare = 0.5\nwidths = [8]\n");
  EXPECT_EQ(mistakes(kFrom), Lines{file + ":1: the shares of all fleet classes sum to 0.5, not to 1"});
  write("fleets/phones.toml", "name = \"no fleet\"\n");
  EXPECT_EQ(mistakes(kFrom), Lines{file + ":1: there is no [[fleet.class]] here"});
  write("fleets/phones.toml", "fleet = \n");
  EXPECT_EQ(mistakes(kFrom).size(), 1U);
  EXPECT_TRUE(mistakes(kFrom)[0].starts_with(file + ":1: ")) << mistakes(kFrom)[0];
}

TEST_F(FleetFiles, MustBeThere) {
  EXPECT_EQ(mistakes(kFrom),
            Lines{path("scenario.toml") + ":10: fleet.from: there is no file '" + path("fleets/phones.toml") +
                  "', and no 'fleets/phones.toml'; name one with [[fleet.class]] tables"});
  EXPECT_EQ(mistakes("[fleet]\nfrom = 3\n"),
            Lines{path("scenario.toml") + ":10: fleet.from: expected text, not an integer"});
  EXPECT_EQ(mistakes("[fleet]\nfrom = \"fleets\"\n"),
            Lines{path("scenario.toml") + ":10: fleet.from: there is no file '" + path("fleets") +
                  "', and no 'fleets'; name one with [[fleet.class]] tables"});
}

TEST_F(FleetFiles, ThatComeWithTheProgramAreWholeDevices) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(std::string(ANYBIT_SOURCE_DIR) + "/scenarios/fleets")) {
    ++files;
    const Scenario named = scenario("[fleet]\nfrom = \"" + entry.path().string() + "\"\n");
    EXPECT_EQ(named.fleet.size(), 3U) << entry.path();
    for (const FleetClass& one : named.fleet)
      for (const double value : {one.compute, one.compute_spread, one.memory, one.down, one.up, one.link_spread,
                                 one.latency, one.energy_flop, one.energy_byte, one.idle_power, one.drop_out})
        EXPECT_GT(value, 0) << entry.path() << " " << one.name;
    EXPECT_EQ(write_scenario(read(write_scenario(named))), write_scenario(named));
  }
  EXPECT_GE(files, 3);
}

TEST_F(FleetFiles, AreNotReadForAPeersScenario) {
  const std::string phones = write("phones.toml", kPhone);
  try {
    parse_scenario_within(kSmallest + "[fleet]\nfrom = \"" + phones + "\"\n", "the server's scenario");
    ADD_FAILURE() << "accepted";
  } catch (const ScenarioErrors& errors) {
    EXPECT_EQ(errors.lines(), Lines{"the server's scenario: fleet.from: no other file is read for this scenario; its "
                                    "classes must be written out in it"});
  }
}

}  // namespace
}  // namespace anybit
