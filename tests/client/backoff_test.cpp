#include "client/backoff.h"

#include <gtest/gtest.h>

#include <set>

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
  std::set<milliseconds> waited;
  for (int i = 0; i < 20; ++i) waited.insert(backoff.next(milliseconds(1000)));
  EXPECT_GE(*waited.begin(), milliseconds(1000));
  EXPECT_LE(*waited.rbegin(), milliseconds(2000));
  EXPECT_GT(waited.size(), 1U) << "all of a thousand clients would come at once";
}

TEST(Backoff, ATimeThatTheServerAskedForDoublesNothing) {
  Backoff backoff(milliseconds(100), milliseconds(100000));
  for (int i = 0; i < 5; ++i) (void)backoff.next(milliseconds(1000));
  EXPECT_LE(backoff.next(), milliseconds(100));
  EXPECT_GE(backoff.next(), milliseconds(100));
}

TEST(Backoff, IsLeftToChanceWithoutAHintToo) {
  Backoff backoff(milliseconds(1000), milliseconds(1000));
  std::set<milliseconds> waited;
  for (int i = 0; i < 20; ++i) waited.insert(backoff.next());
  EXPECT_GT(waited.size(), 1U);
}

}  // namespace
}  // namespace anybit
