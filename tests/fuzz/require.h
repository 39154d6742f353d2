#pragma once

#include <cstdio>
#include <cstdlib>

namespace anybit {

/// Ends the program where `holds` is false: a fuzzer takes that for a finding, a replay of the corpus for a failure.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

}  // namespace anybit
