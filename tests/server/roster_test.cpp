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

TEST(Roster, NamesClientsForPeople) {
  EXPECT_EQ(clients_text({3, 1}), "client 3");
  EXPECT_EQ(clients_text({3, 7}), "clients 3 to 9");
}

}  // namespace
}  // namespace anybit
