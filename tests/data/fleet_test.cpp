#include "data/fleet.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <set>

namespace anybit {
namespace {

std::vector<FleetClass> two_classes() {
  FleetClass phone;
  phone.name = "phone";
  phone.share = 0.7;
  phone.widths = {8, 4};
  FleetClass gateway;
  gateway.name = "gateway";
  gateway.share = 0.3;
  gateway.widths = {32};
  return {phone, gateway};
}

TEST(Fleet, HasNoClassesByDefault) {
  const Fleet fleet;
  EXPECT_EQ(fleet.class_of(3), -1);
  EXPECT_TRUE(fleet.widths(3).empty());
}

TEST(Fleet, FollowsTheShares) {
  const Fleet fleet(two_classes(), 1);
  std::array<int, 2> count{};
  for (std::uint32_t client = 0; client < 10000; ++client) ++count.at(static_cast<std::size_t>(fleet.class_of(client)));
  EXPECT_NEAR(count[0], 7000, 150);  // three standard deviations are 137
}

TEST(Fleet, GivesAClientItsClassesWidthsWhateverWasAskedBefore) {
  const Fleet fleet(two_classes(), 1);
  const int late = fleet.class_of(900000);
  EXPECT_EQ(Fleet(two_classes(), 1).class_of(900000), late);
  EXPECT_EQ(fleet.widths(900000).size(), late == 0 ? 2U : 1U);
}

TEST(Fleet, KnowsAClientsDevice) {
  const Fleet fleet(two_classes(), 1);
  EXPECT_EQ(Fleet().device_class(0), nullptr);
  EXPECT_EQ(fleet.device_class(5), &fleet.classes()[static_cast<std::size_t>(fleet.class_of(5))]);
}

/// All clients are of it.
FleetClass one_class() {
  FleetClass all;
  all.name = "all";
  all.widths = {32};
  return all;
}

TEST(Fleet, ComputesWithoutTimeByDefault) {
  EXPECT_EQ(Fleet().compute(0), 0);
  EXPECT_EQ(Fleet({one_class()}, 1).compute(0), 0);
  FleetClass fast = one_class();
  fast.compute = 2e9;
  EXPECT_EQ(Fleet({fast}, 1).compute(0), 2e9);
}

/// The logarithm of a client's factor is normal: of the mean 0, and of the deviation that was asked for.
TEST(Fleet, EachDeviceHasASpeedOfItsOwn) {
  FleetClass uneven = one_class();
  uneven.compute = 1e9;
  uneven.compute_spread = 0.5;
  const Fleet fleet({uneven}, 1);
  double sum = 0, squares = 0;
  constexpr int kClients = 4000;
  for (std::uint32_t client = 0; client < kClients; ++client) {
    const double log = std::log(fleet.compute(client) / 1e9);
    sum += log;
    squares += log * log;
  }
  EXPECT_NEAR(sum / kClients, 0, 0.024) << "three deviations";
  EXPECT_NEAR(std::sqrt(squares / kClients), 0.5, 0.017) << "three deviations";
  EXPECT_EQ(Fleet({uneven}, 1).compute(77), fleet.compute(77));
  EXPECT_NE(Fleet({uneven}, 2).compute(77), fleet.compute(77));
}

/// Who is of the first class has drawn a small number; that must not tell how fast the device is.
TEST(Fleet, TheClassSaysNothingOfTheSpeedWithinIt) {
  std::vector<FleetClass> classes = two_classes();
  classes[0].compute = 1;
  classes[0].compute_spread = 1;
  const Fleet fleet(classes, 1);
  double squares = 0;
  int count = 0;
  for (std::uint32_t client = 0; client < 10000; ++client) {
    if (fleet.class_of(client) != 0) continue;
    squares += std::log(fleet.compute(client)) * std::log(fleet.compute(client));
    ++count;
  }
  EXPECT_NEAR(squares / count, 1, 0.051) << "three deviations";
}

TEST(Fleet, IsThereAtAnyTimeByDefault) {
  for (const Fleet& fleet : {Fleet(), Fleet(two_classes(), 1)}) {
    EXPECT_TRUE(fleet.available(3, 7));
    EXPECT_EQ(fleet.next_available(3, 7), 7);
    EXPECT_EQ(fleet.available_until(3, 7), std::numeric_limits<double>::infinity());
    EXPECT_FALSE(fleet.takes_time());
  }
}

TEST(Fleet, TakesTimeWhereOneClassDoes) {
  const auto takes_time = [](const auto& change) {
    std::vector<FleetClass> classes = two_classes();
    change(classes[1]);
    return Fleet(classes, 1).takes_time();
  };
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.compute = 1; }));
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.down = 1; }));
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.up = 1; }));
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.latency = 1; }));
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.drop_out = 0.5; }));
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.availability.name = "diurnal"; }));
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.energy_flop = 1; })) << "or nobody counted its energy";
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.energy_byte = 1; }));
  EXPECT_TRUE(takes_time([](FleetClass& one) { one.idle_power = 1; }));
  EXPECT_FALSE(takes_time([](FleetClass& one) { one.memory = one.compute_spread = one.link_spread = 1; }));
}

TEST(MakeFleet, AsksEachClassForItself) {
  Scenario scenario;
  scenario.data.clients = 100;
  scenario.fleet = two_classes();
  Options& options = scenario.fleet[0].availability.options;
  scenario.fleet[0].availability.name = "diurnal";
  options.set("from", 8.0);
  options.set("to", 20.0);
  options.set("jitter", 0.0);
  const Fleet fleet = make_fleet(scenario, {});
  EXPECT_TRUE(fleet.takes_time());
  EXPECT_TRUE(fleet.traces().empty());
  for (std::uint32_t client = 0; client < 100; ++client) {
    const bool is_phone = fleet.class_of(client) == 0;
    EXPECT_EQ(fleet.available(client, 0), !is_phone);
    EXPECT_EQ(fleet.next_available(client, 0), is_phone ? 8 * 3600 : 0);
    EXPECT_EQ(fleet.available_until(client, 9 * 3600), is_phone ? 20 * 3600 : std::numeric_limits<double>::infinity());
  }
}

TEST(MakeFleet, MakesThoseThatComeWithTheProgram) {
  for (const char* name : {"phones", "gateway", "hospitals"}) {
    const Scenario scenario = read_scenario(std::string(ANYBIT_SOURCE_DIR) + "/scenarios/uneven_phones.toml",
                                            {{"fleet.from", std::string("fleets/") + name + ".toml"}});
    const Fleet fleet = make_fleet(scenario, {});
    EXPECT_TRUE(fleet.takes_time());
    std::set<int> drawn;
    for (std::uint32_t client = 0; client < 400; ++client) {
      drawn.insert(fleet.class_of(client));
      EXPECT_TRUE(fleet.available(client, fleet.next_available(client, 1000)));
    }
    EXPECT_EQ(drawn.size(), 3U);
  }
}

TEST(MakeFleet, TellsEveryClassesMistake) {
  Scenario scenario;
  scenario.data.clients = 100;
  scenario.fleet = two_classes();
  for (FleetClass& one : scenario.fleet) one.availability.name = one.name;
  try {
    make_fleet(scenario, {});
    ADD_FAILURE() << "accepted";
  } catch (const ScenarioErrors& errors) {
    EXPECT_EQ(errors.mistakes().size(), 2U);
  }
}

}  // namespace
}  // namespace anybit
