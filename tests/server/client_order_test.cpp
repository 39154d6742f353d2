#include "server/client_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace anybit {
namespace {

std::vector<std::uint32_t> draw(std::uint32_t round, std::uint32_t clients, std::size_t count) {
  ClientOrder order({.seed = 3, .purpose = Purpose::kTest, .round = round}, clients);
  std::vector<std::uint32_t> drawn(count);
  for (std::uint32_t& client : drawn) client = order.next();
  EXPECT_EQ(order.done(), count == clients);
  return drawn;
}

TEST(ClientOrder, DrawsEachClientOnce) {
  for (const std::uint32_t clients : {1U, 2U, 7U, 1000U}) {
    const std::vector<std::uint32_t> drawn = draw(0, clients, clients);
    EXPECT_EQ(std::set<std::uint32_t>(drawn.begin(), drawn.end()).size(), clients);
    EXPECT_LT(*std::ranges::max_element(drawn), clients);
  }
}

TEST(ClientOrder, DrawsEveryOrderEquallyOften) {
  std::map<std::vector<std::uint32_t>, int> orders;
  for (std::uint32_t round = 0; round < 24000; ++round) ++orders[draw(round, 4, 4)];
  ASSERT_EQ(orders.size(), 24U);
  // 1000 expected, deviation 31: five of them.
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 1000, 155);
}

TEST(ClientOrder, IsAFunctionOfItsNameAndLongerDrawsGoOn) {
  const std::vector<std::uint32_t> ten = draw(5, 4000000000U, 10);
  const std::vector<std::uint32_t> twenty = draw(5, 4000000000U, 20);
  EXPECT_TRUE(std::equal(ten.begin(), ten.end(), twenty.begin()));
  EXPECT_NE(draw(6, 4000000000U, 10), ten);
}

}  // namespace
}  // namespace anybit
