// A program with a data race between two items of one parallel_for, for planted_race_test: ThreadSanitizer must report
// it although parallel_for is marked. With the argument "clean" the items touch memory of their own only, and it must
// stay quiet.

#include <atomic>
#include <cstdio>
#include <string>
#include <vector>

#include "nn/parallel.h"

int main(int argc, char** argv) {
  const bool clean = argc > 1 && std::string(argv[1]) == "clean";
  std::vector<long> sums(128, 0);
  std::atomic<int> arrived{0};
  for (int round = 0; round < 20; ++round) {
    sums[0] += 1;  // before the fork and after the last join: fine
    arrived = 0;
    anybit::parallel_for(2, 2, [&](std::size_t item, int) {
      arrived.fetch_add(1, std::memory_order_relaxed);  // relaxed: meets without ordering what follows
      while (arrived.load(std::memory_order_relaxed) < 2) {}
      sums[clean ? 64 * item : 0] += 1;
    });
  }
  std::printf("%ld\n", sums[0] + sums[64]);
  return 0;
}
