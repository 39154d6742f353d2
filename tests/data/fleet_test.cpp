#include "data/fleet.h"

#include <gtest/gtest.h>

#include <array>

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

}  // namespace
}  // namespace anybit
