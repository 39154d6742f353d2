// By itself, so that a test can link the program for a machine that lacks a set.
#include "nn/kernel_set.h"

namespace anybit {

std::vector<std::string> machine_instruction_sets() {
  std::vector<std::string> sets;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl"))
    sets.emplace_back("avx512");
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) sets.emplace_back("avx2");
#endif
  sets.emplace_back("portable");
  return sets;
}

}  // namespace anybit
