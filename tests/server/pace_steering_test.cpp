// Who is sent away for how long, by itself; and a server over loopback whose clients come and go.
#include "server/pace_steering.h"

#include <gtest/gtest.h>

#include "tests/server/served_federation.h"

namespace anybit {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr double kNoLimit = 1e9;

/// A round whose updates took so long.
void pass_round(PaceSteering& pace, const std::vector<double>& updates) {
  for (const double seconds : updates) pace.note_update(seconds);
  pace.note_round();
}

TEST(PaceSteering, ExpectsTheSlowestOfRoundsSmoothed) {
  PaceSteering pace(1, kNoLimit, 7);
  EXPECT_EQ(pace.expected(), 0);
  pass_round(pace, {4, 10, 5});
  EXPECT_EQ(pace.expected(), 10);
  pass_round(pace, {20});
  EXPECT_DOUBLE_EQ(pace.expected(), 12);
  pass_round(pace, {});
  EXPECT_DOUBLE_EQ(pace.expected(), 12) << "nothing was measured";
}

TEST(PaceSteering, SendsNobodyAwayBeforeItKnowsARoundNorWhereItIsOff) {
  PaceSteering early(1, kNoLimit, 7);
  early.note_update(3);
  EXPECT_FALSE(early.send_away(0, 5));
  PaceSteering off(0, kNoLimit, 7);
  pass_round(off, {3});
  EXPECT_FALSE(off.send_away(1, 5));
}

TEST(PaceSteering, SpreadsClientsOverThePartOfARound) {
  PaceSteering pace(0.5, kNoLimit, 7);
  PaceSteering same(0.5, kNoLimit, 7);
  PaceSteering limited(0.5, 1, 7);
  for (PaceSteering* each : {&pace, &same, &limited}) pass_round(*each, {8});
  double sum = 0;
  constexpr std::uint32_t kClients = 1000;
  for (std::uint32_t client = 0; client < kClients; ++client) {
    const double wait = pace.send_away(1, client).value();
    EXPECT_GE(wait, 0);
    EXPECT_LT(wait, 4);
    EXPECT_EQ(same.send_away(1, client), wait);
    EXPECT_EQ(limited.send_away(1, client), std::min(wait, 1.0));
    sum += wait;
  }
  EXPECT_NEAR(sum / kClients, 2, 0.15) << "four standard errors of an even spread from 0 to 4";
}

TEST(PaceSteering, SendsAClientAwayOncePerRound) {
  PaceSteering pace(1, kNoLimit, 7);
  pass_round(pace, {8});
  const std::optional<double> first = pace.send_away(1, 5);
  ASSERT_TRUE(first);
  EXPECT_EQ(pace.away(), 1U);
  EXPECT_TRUE(pace.come_back(5));
  EXPECT_FALSE(pace.come_back(5));
  EXPECT_EQ(pace.away(), 0U);
  EXPECT_FALSE(pace.send_away(1, 5));
  EXPECT_EQ(pace.away(), 0U);
  pass_round(pace, {8});
  const std::optional<double> second = pace.send_away(2, 5);
  ASSERT_TRUE(second);
  EXPECT_NE(*second, *first);
}

/// Of two clients one has the first two rounds and the other the last.
struct TwoThenOne {
  FederationPlan plan;
  std::uint32_t worker() const { return Coordinator::cohort(plan, 0).front(); }
  TwoThenOne() {
    plan.clients = 2;
    const auto works = [&](std::uint32_t round) { return Coordinator::cohort(plan, round).front() == worker(); };
    while (!works(1) || works(2)) ++plan.seed;
  }
  std::vector<std::string> settings() const {
    return {"data.clients=2", "federation.cohort=1", "federation.rounds=3", "federation.pace=1",
            "seed=" + std::to_string(plan.seed)};
  }
};

TEST(PacedServer, WhoIsNotNeededComesAgainAndIsWaitedForWhereItIs) {
  constexpr milliseconds kWork{400};
  const TwoThenOne clients;
  ServedFederation served(clients.settings());
  served.start();
  ServedClient works(served, clients.worker());
  ServedClient idle(served, 1 - clients.worker());
  const TaskId first = works.take_task();
  std::this_thread::sleep_for(kWork);  // the idle one stays: nothing is known of rounds
  works.send_update(first);
  EXPECT_EQ(works.receive<Acknowledge>().id, first);
  const Goodbye goodbye = idle.receive<Goodbye>();
  EXPECT_EQ(goodbye.farewell, Farewell::kComeAgain);
  EXPECT_EQ(goodbye.reason, "not needed now");
  EXPECT_GE(goodbye.wait_milliseconds, 1U);
  EXPECT_LE(goodbye.wait_milliseconds, 2000U) << "half of a round, which the client makes whole";
  ServedClient back(served, 1 - clients.worker());  // stays now until the round is over
  back.welcome();
  const TaskId second = works.take_task();
  std::this_thread::sleep_for(milliseconds{300});
  works.send_update(second);
  EXPECT_EQ(works.receive<Acknowledge>().id, second);
  EXPECT_EQ(works.receive<Goodbye>().farewell, Farewell::kComeAgain);
  back.answer();
  EXPECT_TRUE(served.wait());
  EXPECT_EQ(served.server->roster().missing(Clock::now() - std::chrono::seconds(60)), 1U)
      << "who is away has not heard that the run is over";
  EXPECT_GT(served.server->roster().missing_until(std::chrono::seconds(60)), Clock::now() + std::chrono::seconds(59));
  const std::string told = served.told();
  EXPECT_EQ(told.find("is gone"), std::string::npos) << told;
  const std::size_t both = told.find("joined", told.find("joined") + 1);
  EXPECT_EQ(told.find("joined", both + 1), std::string::npos) << "who comes and goes is no news: " << told;
  EXPECT_EQ(std::ranges::count(served.events(), LoggedEvent::Kind::kLost, &LoggedEvent::kind), 0);
}

TEST(PacedServer, WhoIsAwayWhenItIsSelectedIsWaitedForAsLongAsAnybody) {
  const TwoThenOne clients;
  ServedFederation served(clients.settings(), [](ServerSettings& settings) { settings.grace = milliseconds{3000}; });
  served.start();
  ServedClient works(served, clients.worker());
  ServedClient idle(served, 1 - clients.worker());
  works.answer();
  idle.receive<Goodbye>();
  works.answer();
  works.receive<Goodbye>();
  ServedClient back(served, 1 - clients.worker());
  back.answer();
  EXPECT_TRUE(served.wait());
  EXPECT_EQ(std::ranges::count(served.events(), LoggedEvent::Kind::kLost, &LoggedEvent::kind), 0);
}

}  // namespace
}  // namespace anybit
