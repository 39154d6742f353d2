#include "server/selection.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace anybit {
namespace {

constexpr DrawName kRound = {.seed = 5, .purpose = Purpose::kCohort, .round = 3};

bool everybody(std::uint32_t) { return true; }

std::vector<std::uint32_t> first_of_order(std::uint32_t clients, std::uint32_t count) {
  ClientOrder order(kRound, clients);
  std::vector<std::uint32_t> drawn(count);
  for (std::uint32_t& client : drawn) client = order.next();
  return drawn;
}

TEST(Selection, HoldsTheFirstOfTheOrderAscending) {
  std::vector<std::uint32_t> expected = first_of_order(1000, 8);
  std::ranges::sort(expected);
  Selection selection(kRound, 1000, 8, everybody);
  EXPECT_EQ(selection.selected(), expected);
  EXPECT_EQ(selection.clients(Standing::kOutstanding), expected);
  for (std::uint32_t client = 0; client < 1000; ++client)
    EXPECT_EQ(selection.find(client) != nullptr, std::ranges::binary_search(expected, client)) << client;
}

TEST(Selection, ReplacesByThoseThatFollowUntilAllAreIn) {
  const std::vector<std::uint32_t> order = first_of_order(6, 6);
  Selection selection(kRound, 6, 4, everybody);
  EXPECT_EQ(selection.find(order[4]), nullptr);
  *selection.find(order[0]) = Standing::kDropped;
  EXPECT_EQ(selection.replace(everybody), order[4]);
  ASSERT_NE(selection.find(order[4]), nullptr);
  EXPECT_EQ(*selection.find(order[4]), Standing::kOutstanding);
  *selection.find(order[4]) = Standing::kCounted;
  EXPECT_EQ(selection.replace(everybody), order[5]);
  EXPECT_EQ(selection.replace(everybody), std::nullopt);
  EXPECT_EQ(*selection.find(order[0]), Standing::kDropped);
  std::vector<std::uint32_t> left = {order[1], order[2], order[3], order[5]};
  std::ranges::sort(left);
  EXPECT_EQ(selection.clients(Standing::kOutstanding), left);
  EXPECT_EQ(selection.clients(Standing::kCounted), std::vector<std::uint32_t>{order[4]});
  EXPECT_EQ(selection.clients(Standing::kDropped), std::vector<std::uint32_t>{order[0]});
  EXPECT_EQ(selection.selected().size(), 4U) << "those of the beginning";
}

TEST(Selection, PassesOverThoseThatCannotBeReached) {
  const std::vector<std::uint32_t> order = first_of_order(6, 6);
  const auto reachable = [&](std::uint32_t client) { return client != order[1] && client != order[4]; };
  Selection selection(kRound, 6, 3, reachable);
  std::vector<std::uint32_t> expected = {order[0], order[2], order[3]};
  std::ranges::sort(expected);
  EXPECT_EQ(selection.selected(), expected);
  EXPECT_EQ(selection.replace(reachable), order[5]);
  EXPECT_EQ(selection.replace(reachable), std::nullopt);
  EXPECT_EQ(Selection(kRound, 6, 5, reachable).selected().size(), 4U) << "no more are there";
}

// A tenth can be reached: the eleventh part of a hundred thousand is never looked at.
TEST(Selection, AsksAsManyAsItNeeds) {
  int asked = 0;
  const auto reachable = [&](std::uint32_t client) { return ++asked > 0 && client % 10 == 0; };
  EXPECT_EQ(Selection(kRound, 1000000, 100, reachable).selected().size(), 100U);
  EXPECT_NEAR(asked, 1000, 400);
}

}  // namespace
}  // namespace anybit
