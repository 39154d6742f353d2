#include "data/availability/availability.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>

namespace anybit {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kHour = 3600;

using NamedValues = std::vector<std::pair<std::string, OptionValue>>;

Part part(const std::string& name, const NamedValues& options) {
  Options set("fleet.class.availability", {"name"});
  for (const auto& [key, value] : options) set.set(key, value, {"test.toml", 3});
  return {name, set, {"test.toml", 2}};
}

std::shared_ptr<const Availability> diurnal(NamedValues options, std::uint64_t seed = 1) {
  return availabilities().make(part("diurnal", options), {.seed = seed, .clients = 1000});
}

TEST(Availability, AlwaysIsAlways) {
  const auto always = availabilities().make(part("always", {}), {});
  EXPECT_TRUE(always->available(3, 1e9));
  EXPECT_EQ(always->next(3, 5), 5);
  EXPECT_EQ(always->until(3, 5), kNever);
  EXPECT_EQ(always->longest(3), kNever);
}

TEST(Availability, UnknownOnesAreNamed) {
  try {
    availabilities().make(part("diurnl", {}), {});
    ADD_FAILURE() << "accepted";
  } catch (const ScenarioError& error) {
    EXPECT_TRUE(std::string(error.what()).starts_with("test.toml:2: unknown availability 'diurnl'; known: always"));
  }
}

TEST(Diurnal, KeepsHoursOfTheDay) {
  const auto day = diurnal({{"from", 8.0}, {"to", 20.0}, {"jitter", 0.0}});
  EXPECT_FALSE(day->available(0, 0));
  EXPECT_FALSE(day->available(0, 8 * kHour - 1));
  EXPECT_TRUE(day->available(0, 8 * kHour));
  EXPECT_TRUE(day->available(0, 20 * kHour - 1));
  EXPECT_FALSE(day->available(0, 20 * kHour));
  EXPECT_TRUE(day->available(0, (24 + 12) * kHour)) << "the next day, too";
  EXPECT_EQ(day->next(0, 0), 8 * kHour);
  EXPECT_EQ(day->next(0, 9 * kHour), 9 * kHour);
  EXPECT_EQ(day->next(0, 21 * kHour), 32 * kHour);
  EXPECT_EQ(day->until(0, 0), 8 * kHour);
  EXPECT_EQ(day->until(0, 9 * kHour), 20 * kHour);
  EXPECT_EQ(day->until(0, 20 * kHour), 32 * kHour);
  EXPECT_EQ(day->longest(0), 12 * kHour);
}

TEST(Diurnal, HoursMayPassMidnight) {
  const auto night = diurnal({{"from", 22.0}, {"to", 7.0}, {"jitter", 0.0}});
  EXPECT_TRUE(night->available(0, 0));
  EXPECT_EQ(night->until(0, 0), 7 * kHour);
  EXPECT_FALSE(night->available(0, 7 * kHour));
  EXPECT_EQ(night->next(0, 7 * kHour), 22 * kHour);
  EXPECT_EQ(night->until(0, 23 * kHour), 31 * kHour);
}

TEST(Diurnal, LocalTimeIsAheadOfTheRuns) {
  const auto east = diurnal({{"from", 8.0}, {"to", 20.0}, {"jitter", 0.0}, {"zones", std::vector<double>{5.5}}});
  EXPECT_EQ(east->next(0, 0), 2.5 * kHour);
  EXPECT_EQ(east->until(0, 3 * kHour), 14.5 * kHour);
}

TEST(Diurnal, ADayCanBeShorter) {
  const auto fast = diurnal({{"from", 6.0}, {"to", 12.0}, {"jitter", 0.0}, {"day", 240.0}});
  EXPECT_EQ(fast->next(0, 0), 60);
  EXPECT_EQ(fast->until(0, 60), 120);
  EXPECT_EQ(fast->next(0, 120), 300);
}

TEST(Diurnal, EachClientDrawsAZone) {
  const auto world =
      diurnal({{"from", 8.0}, {"to", 20.0}, {"jitter", 0.0}, {"zones", std::vector<double>{0.0, 4.0, 6.0}}});
  std::map<double, int> begins;
  for (std::uint32_t client = 0; client < 3000; ++client) ++begins[world->next(client, 0)];
  ASSERT_EQ(begins.size(), 3U);
  for (const double hours : {8.0, 4.0, 2.0}) EXPECT_NEAR(begins[hours * kHour], 1000, 78) << "three deviations";
}

TEST(Diurnal, EachClientHasAShiftOfItsOwn) {
  const NamedValues options = {{"from", 12.0}, {"to", 20.0}, {"jitter", 0.5}};
  const auto spread = diurnal(options);
  double sum = 0, squares = 0;
  constexpr int kClients = 4000;
  for (std::uint32_t client = 0; client < kClients; ++client) {
    const double shift = spread->next(client, 0) / kHour - 12;
    sum += shift;
    squares += shift * shift;
  }
  EXPECT_NEAR(sum / kClients, 0, 0.024) << "three deviations";
  EXPECT_NEAR(std::sqrt(squares / kClients), 0.5, 0.017) << "three deviations";
  EXPECT_EQ(diurnal(options)->next(7, 0), spread->next(7, 0));
  EXPECT_NE(diurnal(options, 2)->next(7, 0), spread->next(7, 0));
}

/// Whoever sleeps until a turn must find it come: rounding may not leave it a step of a double away.
TEST(Diurnal, ATurnHasComeWhenItsTimeHas) {
  const auto world =
      diurnal({{"from", 22.3}, {"to", 7.1}, {"jitter", 1.7}, {"zones", std::vector<double>{-7.0, 5.75}}});
  double time = 0;
  for (std::uint32_t client = 0; client < 1000; ++client) {
    if (client == 500) time = 1e9;
    for (int turns = 0; turns < 20; ++turns) {
      const bool before = world->available(client, time);
      const double turn = world->until(client, time);
      ASSERT_GT(turn, time);
      ASSERT_LE(turn, time + 24 * kHour);
      ASSERT_NE(world->available(client, turn - 1e-6), world->available(client, turn)) << "not earlier";
      ASSERT_NE(world->available(client, turn), before) << client << " at " << time;
      ASSERT_TRUE(world->available(client, world->next(client, time)));
      for (const double part : {0.1, 0.37, 0.83})
        ASSERT_EQ(world->until(client, time + part * (turn - time)), turn) << "whenever one asks";
      time = turn + 1.0 / 3;  // off the grid of turns
    }
  }
}

TEST(Diurnal, TheWholeDayIsAlways) {
  const auto whole = diurnal({{"from", 0.0}, {"to", 24.0}});
  EXPECT_TRUE(whole->available(3, 12345));
  EXPECT_EQ(whole->next(3, 5), 5);
  EXPECT_EQ(whole->until(3, 5), kNever);
  EXPECT_EQ(whole->longest(3), kNever);
}

TEST(Diurnal, RefusesHoursThatAreNone) {
  const auto mistake_of = [](const NamedValues& options) -> std::string {
    try {
      diurnal(options);
    } catch (const ScenarioError& error) {
      return error.what();
    }
    return "accepted";
  };
  const std::string at = "test.toml:3: fleet.class.availability.";
  EXPECT_EQ(mistake_of({{"from", 25.0}}), at + "from: 25.0 is out of range; accepted: 0.0 to 24.0");
  EXPECT_EQ(mistake_of({{"to", -1.0}}), at + "to: -1.0 is out of range; accepted: 0.0 to 24.0");
  EXPECT_EQ(mistake_of({{"zones", std::vector<double>{0, 15}}}),
            at + "zones: 15.0 is out of range; accepted: -12.0 to 14.0");
  EXPECT_EQ(mistake_of({{"zones", std::vector<double>{}}}), at + "zones: the list is empty; [0.0] is one zone");
  EXPECT_EQ(mistake_of({{"jitter", 13.0}}), at + "jitter: 13.0 is out of range; accepted: 0.0 to 12.0");
  EXPECT_EQ(mistake_of({{"day", 0.0}}), at + "day: 0.0 is out of range; accepted: 1.0 to 1e+09");
  EXPECT_TRUE(
      mistake_of({{"from", 8.0}, {"to", 8.0}}).starts_with(at + "to: must be at least 0.024 hours after 'from'"));
  EXPECT_EQ(mistake_of({{"from", 0.0}, {"to", 24.0}}), "accepted") << "the whole day";
}

}  // namespace
}  // namespace anybit
