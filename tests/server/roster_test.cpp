#include "server/roster.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

TEST(Roster, KnowsWhoIsHereAndWhatTheySaid) {
  Roster roster;
  roster.join(1, Hello{.client = 3, .clients = 1, .kernel_set = "avx2", .examples = 40});
  roster.join(2, Hello{.client = 5, .clients = 4});
  EXPECT_EQ(roster.clients(), 5U);
  ASSERT_NE(roster.hello(1), nullptr);
  EXPECT_EQ(roster.hello(1)->examples, 40U);
  roster.leave(1);
  EXPECT_EQ(roster.hello(1), nullptr);
  EXPECT_EQ(roster.clients(), 4U);
}

TEST(Roster, CountsAClientOnceThoughItsDeadLineIsOpen) {
  Roster roster;
  roster.join(1, Hello{.client = 0, .clients = 4});
  roster.join(2, Hello{.client = 3});
  EXPECT_EQ(roster.clients(), 4U);
  roster.leave(1);
  EXPECT_EQ(roster.clients(), 1U);
  EXPECT_EQ(roster.missing({}), 3U);
}

TEST(Roster, NewestConnectionPlays) {
  Roster roster;
  EXPECT_EQ(roster.playing(3), 0U);
  roster.join(7, Hello{.client = 3});
  roster.join(5, Hello{.client = 2, .clients = 3});  // was accepted before, and joined later
  EXPECT_EQ(roster.playing(2), 5U);
  EXPECT_EQ(roster.playing(3), 7U);
  EXPECT_EQ(roster.playing(5), 0U);
  roster.leave(7);
  EXPECT_EQ(roster.playing(3), 5U);
  roster.leave(5);
  EXPECT_EQ(roster.playing(3), 0U);
}

TEST(Roster, MissesWhoWasHereAndIsNotExcused) {
  Roster roster;
  roster.join(1, Hello{.client = 3, .clients = 2});
  EXPECT_EQ(roster.missing({}), 0U);
  roster.leave(1);
  EXPECT_EQ(roster.missing({}), 2U);
  roster.join(2, Hello{.client = 3});
  EXPECT_EQ(roster.missing({}), 1U);
  roster.excuse({4, 0xffffffffU});
  EXPECT_EQ(roster.missing({}), 0U);
  roster.leave(2);
  EXPECT_EQ(roster.missing({}), 1U);
  roster.leave(2);
  EXPECT_EQ(roster.missing({}), 1U);
}

TEST(Roster, MissesWhoIsExpectedUntilItComesOrIsExcused) {
  Roster roster;
  roster.expect({0, 4});
  EXPECT_EQ(roster.missing(Roster::Clock::now() - std::chrono::seconds(9)), 4U);
  EXPECT_EQ(roster.missing(Roster::Clock::now() + std::chrono::seconds(9)), 0U) << "who has not come by then is gone";
  EXPECT_EQ(roster.clients(), 0U);
  roster.join(1, Hello{.client = 3});
  roster.excuse({0, 1});
  EXPECT_EQ(roster.missing({}), 2U);
}

TEST(Roster, CountsOnceWhoCameAtAnyTime) {
  Roster roster;
  roster.expect({0, 9});
  EXPECT_EQ(roster.came(), 0U);
  roster.join(1, Hello{.client = 0, .clients = 3});
  roster.leave(1);
  roster.join(2, Hello{.client = 2, .clients = 2});
  EXPECT_EQ(roster.came(), 4U);
}

TEST(Roster, MissesWhoWasSentAwayFromWhenItIsDue) {
  const Roster::Clock::time_point now = Roster::Clock::now();
  const std::chrono::hours hour(1);
  Roster roster;
  EXPECT_LT(roster.missing_until({}), now + hour);
  roster.join(1, Hello{.client = 3});
  roster.join(2, Hello{.client = 4});
  roster.leave(1, now + hour);
  EXPECT_EQ(roster.missing(now), 1U);
  EXPECT_EQ(roster.missing(now + 2 * hour), 0U) << "it would be back";
  roster.leave(2);
  EXPECT_EQ(roster.missing_until(std::chrono::seconds(9)), now + hour + std::chrono::seconds(9));
  roster.join(3, Hello{.client = 3});
  EXPECT_LT(roster.missing_until({}), now + hour);
}

TEST(Roster, NamesClientsForPeople) {
  EXPECT_EQ(clients_text({3, 1}), "client 3");
  EXPECT_EQ(clients_text({3, 7}), "clients 3 to 9");
}

}  // namespace
}  // namespace anybit
