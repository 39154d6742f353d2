#include "scenarios/byte_count.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

TEST(ByteCount, HasAUnitOrNone) {
  EXPECT_EQ(parse_byte_count("1000"), 1000);
  EXPECT_EQ(parse_byte_count("7B"), 7);
  EXPECT_EQ(parse_byte_count("0"), 0);
  EXPECT_EQ(parse_byte_count("0MB"), 0);
  EXPECT_EQ(parse_byte_count("256kB"), 256e3);
  EXPECT_EQ(parse_byte_count("512MB"), 512e6);
  EXPECT_EQ(parse_byte_count("2GB"), 2e9);
  EXPECT_EQ(parse_byte_count("2MiB"), 2097152);
  EXPECT_EQ(parse_byte_count("1.5GiB"), 1610612736);
}

TEST(ByteCount, IsNothingElse) {
  for (const char* wrong : {"", "much", "MB", "-5MB", "-0", "5 MB", "5mb", "inf", "nan", "1e300", "1e10GB"})
    EXPECT_EQ(parse_byte_count(wrong), std::nullopt) << wrong;
}

}  // namespace
}  // namespace anybit
