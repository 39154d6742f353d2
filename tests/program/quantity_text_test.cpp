#include "program/quantity_text.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

TEST(QuantityText, WritesDurations) {
  EXPECT_EQ(duration_text(5), "0:05");
  EXPECT_EQ(duration_text(3725), "1:02:05");
}

TEST(QuantityText, WritesBytes) {
  EXPECT_EQ(bytes_text(12), "12 B");
  EXPECT_EQ(bytes_text(1234567), "1.2 MB");
}

TEST(QuantityText, WritesTrafficInOneUnit) {
  EXPECT_EQ(traffic_text(12, 7), "12/7 B");
  EXPECT_EQ(traffic_text(999, 1000), "1.0/1.0 kB");
  EXPECT_EQ(traffic_text(12345678, 1234567), "12/1.2 MB");
  EXPECT_EQ(traffic_text(9990000, 9940000), "10/9.9 MB");
}

}  // namespace
}  // namespace anybit
