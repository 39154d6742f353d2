#include "server/selection.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace anybit {
namespace {

constexpr DrawName kRound = {.seed = 5, .purpose = Purpose::kCohort, .round = 3};

std::vector<std::uint32_t> first_of_order(std::uint32_t clients, std::uint32_t count) {
  ClientOrder order(kRound, clients);
  std::vector<std::uint32_t> drawn(count);
  for (std::uint32_t& client : drawn) client = order.next();
  return drawn;
}

TEST(Selection, HoldsTheFirstOfTheOrderAscending) {
  std::vector<std::uint32_t> expected = first_of_order(1000, 8);
  std::ranges::sort(expected);
  Selection selection(kRound, 1000, 8);
  EXPECT_EQ(selection.selected(), expected);
  EXPECT_EQ(selection.clients(Standing::kOutstanding), expected);
  for (std::uint32_t client = 0; client < 1000; ++client)
    EXPECT_EQ(selection.find(client) != nullptr, std::ranges::binary_search(expected, client)) << client;
}

TEST(Selection, ReplacesByThoseThatFollowUntilAllAreIn) {
  const std::vector<std::uint32_t> order = first_of_order(6, 6);
  Selection selection(kRound, 6, 4);
  EXPECT_EQ(selection.find(order[4]), nullptr);
  *selection.find(order[0]) = Standing::kFailed;
  EXPECT_EQ(selection.replace(), order[4]);
  ASSERT_NE(selection.find(order[4]), nullptr);
  EXPECT_EQ(*selection.find(order[4]), Standing::kOutstanding);
  *selection.find(order[4]) = Standing::kCounted;
  EXPECT_EQ(selection.replace(), order[5]);
  EXPECT_EQ(selection.replace(), std::nullopt);
  EXPECT_EQ(*selection.find(order[0]), Standing::kFailed);
  std::vector<std::uint32_t> left = {order[1], order[2], order[3], order[5]};
  std::ranges::sort(left);
  EXPECT_EQ(selection.clients(Standing::kOutstanding), left);
  EXPECT_EQ(selection.clients(Standing::kCounted), std::vector<std::uint32_t>{order[4]});
  EXPECT_EQ(selection.clients(Standing::kFailed), std::vector<std::uint32_t>{order[0]});
  EXPECT_EQ(selection.selected().size(), 4U) << "those of the beginning";
}

}  // namespace
}  // namespace anybit
