#include "program/descriptors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace anybit {
namespace {

TEST(Descriptors, AreRaisedAsFarAsTheSystemAllows) {
  rlimit before = {};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit low = {64, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  EXPECT_EQ(raise_descriptor_limit(32), 64U) << "enough already";
  EXPECT_EQ(raise_descriptor_limit(100), 100U);
  EXPECT_EQ(raise_descriptor_limit(before.rlim_max + 1), before.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &before);
}

}  // namespace
}  // namespace anybit
