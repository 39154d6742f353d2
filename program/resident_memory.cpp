#include "program/resident_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>
#include <string>

namespace anybit {

double resident_bytes() {
  malloc_trim(0);
  // Not /proc/self/statm: its counters lag behind by up to a megabyte.
  std::ifstream rollup("/proc/self/smaps_rollup");
  for (std::string word; rollup >> word;) {
    double kibibytes = 0;
    if (word == "Rss:" && rollup >> kibibytes) return 1024 * kibibytes;
  }
  return 0;
}

double resident_bytes_now() {
  std::ifstream statm("/proc/self/statm");
  double all = 0;
  double resident = 0;
  return statm >> all >> resident ? resident * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

void return_large_buffers() { mallopt(M_MMAP_THRESHOLD, 4 << 20); }

double physical_bytes() {
  return static_cast<double>(sysconf(_SC_PHYS_PAGES)) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

}  // namespace anybit
