#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdio>
#include <initializer_list>
#include <map>
#include <string>

namespace anybit {

/// How often each thing happened in schedules.
using Counts = std::map<std::string, long>;

/// Plays the schedules of the first seeds up to a fault, which Schedule(seed, counts).run() tells; "" is none. Prints
/// how often what happened; each of `whats` must have more than `often` times, or the schedules hardly reach it.
template <class Schedule>
void expect_no_fault(std::uint32_t seeds, std::initializer_list<const char*> whats, long often) {
  Counts counts;
  for (std::uint32_t seed = 0; seed < seeds; ++seed) ASSERT_EQ(Schedule(seed, counts).run(), "") << "seed " << seed;
  std::printf("seeds 0 ... %u:", seeds - 1);
  for (const auto& [what, number] : counts) std::printf(" %s %ld,", what.c_str(), number);
  std::printf(" no fault\n");
  for (const char* what : whats) EXPECT_GT(counts[what], often) << what << ": the schedules hardly reach it";
}

}  // namespace anybit
