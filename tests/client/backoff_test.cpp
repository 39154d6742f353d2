#include "client/backoff.h"

#include <gtest/gtest.h>

namespace anybit {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToTheLongestWithAPartLeftToChance) {
  Backoff backoff(milliseconds(100), milliseconds(350));
  for (const int most : {100, 200, 350, 350}) {
    const milliseconds waited = backoff.next();
    EXPECT_GE(waited.count(), most / 2);
    EXPECT_LE(waited.count(), most);
  }
  backoff.reset();
  EXPECT_LE(backoff.next().count(), 100);
}

TEST(Backoff, NeverComesBeforeTheServerAsked) {
  Backoff backoff(milliseconds(100), milliseconds(350));
  for (int i = 0; i < 20; ++i) {
    const milliseconds waited = backoff.next(milliseconds(1000));
    EXPECT_GE(waited.count(), 1500);
    EXPECT_LE(waited.count(), 2000);
  }
}

}  // namespace
}  // namespace anybit
