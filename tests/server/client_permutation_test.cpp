#include "server/client_permutation.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

namespace anybit {
namespace {

ClientPermutation order_of(std::uint32_t round, std::uint32_t clients) {
  return {{.seed = 5, .purpose = Purpose::kCohort, .round = round}, clients};
}

TEST(ClientPermutation, HasEveryClientOnceAndKnowsItsPlace) {
  for (const std::uint32_t clients : {1U, 2U, 3U, 4U, 5U, 17U, 64U, 1000U}) {
    const ClientPermutation order = order_of(0, clients);
    std::set<std::uint32_t> seen;
    for (std::uint32_t place = 0; place < clients; ++place) {
      const std::uint32_t client = order.client(place);
      ASSERT_LT(client, clients);
      ASSERT_TRUE(seen.insert(client).second) << client << " twice of " << clients;
      ASSERT_EQ(order.place(client), place);
    }
  }
}

TEST(ClientPermutation, IsAnotherForAnotherName) {
  const ClientPermutation first = order_of(0, 1000), second = order_of(1, 1000);
  int same = 0;
  for (std::uint32_t place = 0; place < 1000; ++place) same += first.client(place) == second.client(place) ? 1 : 0;
  EXPECT_LT(same, 12) << "one is expected";
}

// 12,000 orders of three clients: each of the six 2,000 times, standard deviation 41; of 5 clients each is first 2,400
// times, standard deviation 44.
TEST(ClientPermutation, PutsNobodyBeforeOthers) {
  std::array<int, 27> orders{};
  std::array<int, 5> first{};
  for (std::uint32_t round = 0; round < 12000; ++round) {
    const ClientPermutation three = order_of(round, 3);
    ++orders.at(three.client(0) * 9 + three.client(1) * 3 + three.client(2));
    ++first.at(order_of(round, 5).client(0));
  }
  for (const std::size_t order : {5U, 7U, 11U, 15U, 19U, 21U}) EXPECT_NEAR(orders.at(order), 2000, 5 * 41) << order;
  for (const int count : first) EXPECT_NEAR(count, 2400, 5 * 44);
}

TEST(ClientPermutation, HoldsAsManyAsThereCanBe) {
  const ClientPermutation order = order_of(0, 1U << 31U);
  for (const std::uint32_t client : {0U, 1U, 12345U, (1U << 31U) - 1})
    EXPECT_EQ(order.client(order.place(client)), client);
}

}  // namespace
}  // namespace anybit
