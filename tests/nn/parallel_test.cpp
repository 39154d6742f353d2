#include "nn/parallel.h"

#include <gtest/gtest.h>
#include <omp.h>

#include <atomic>
#include <numeric>
#include <stdexcept>
#include <string>
#include <vector>

namespace anybit {
namespace {

TEST(ParallelFor, EveryItemOnceAndWorkersInRange) {
  for (const int threads : {1, 2, 4}) {
    for (const std::size_t items : {0U, 1U, 3U, 100U}) {
      std::vector<int> seen(items);
      std::atomic<bool> in_range = true;
      parallel_for(items, threads, [&](std::size_t item, int worker) {
        seen[item] += 1;
        if (worker < 0 || worker >= threads) in_range = false;
      });
      EXPECT_EQ(seen, std::vector<int>(items, 1));
      EXPECT_TRUE(in_range);
    }
  }
}

TEST(ParallelFor, OneThreadTakesItemsInOrder) {
  std::vector<std::size_t> order;
  parallel_for(5, 1, [&](std::size_t item, int) { order.push_back(item); });
  EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3, 4}));
}

TEST(ParallelFor, WorkersReallyRunAtTheSameTime) {
  // Both items wait for the other one: this ends only where two workers exist.
  std::atomic<int> arrived = 0;
  parallel_for(2, 2, [&](std::size_t, int) {
    ++arrived;
    while (arrived < 2) {}
  });
  EXPECT_EQ(arrived, 2);
}

TEST(ParallelFor, InsideOpenMpHasOneThreadAndOutsideItsOwnNumberAgain) {
  omp_set_num_threads(3);
  for (const int threads : {1, 2}) {
    for (const std::size_t items : {1U, 4U}) {
      std::vector<int> inside(items);
      parallel_for(items, threads, [&](std::size_t item, int) { inside[item] = omp_get_max_threads(); });
      EXPECT_EQ(inside, std::vector<int>(items, 1));
      EXPECT_EQ(omp_get_max_threads(), 3);
    }
  }
  EXPECT_THROW(parallel_for(1, 1, [](std::size_t, int) { throw std::runtime_error("stop"); }), std::runtime_error);
  EXPECT_EQ(omp_get_max_threads(), 3);
  omp_set_num_threads(omp_get_num_procs());
}

TEST(ParallelFor, AnExceptionComesOutAndStopsTheRest) {
  for (const int threads : {1, 2}) {
    std::atomic<int> ran = 0;
    try {
      parallel_for(1000000, threads, [&](std::size_t item, int) {
        ++ran;
        if (item == 2) throw std::runtime_error("item " + std::to_string(item));
      });
      FAIL();
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "item 2");
    }
    EXPECT_LT(ran, 1000000);
  }
}

TEST(ParallelFor, MayBeNested) {
  std::vector<int> sums(3);
  parallel_for(3, 2, [&](std::size_t outer, int) {
    int sum = 0;
    parallel_for(4, 2, [&](std::size_t inner, int) { sum += static_cast<int>(inner); });
    sums[outer] = sum;
  });
  EXPECT_EQ(sums, std::vector<int>(3, 6));
}

TEST(HardwareThreads, AtLeastOne) { EXPECT_GE(hardware_threads(), 1); }

}  // namespace
}  // namespace anybit
