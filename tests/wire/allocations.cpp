#include "tests/wire/allocations.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local bool watching = false;
thread_local std::size_t calls_seen = 0;
thread_local std::size_t largest_seen = 0;

}  // namespace

void* operator new(std::size_t size) {
  if (watching) {
    ++calls_seen;
    largest_seen = std::max(largest_seen, size);
  }
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace anybit {

AllocationWatch::AllocationWatch() {
  calls_seen = 0;
  largest_seen = 0;
  watching = true;
}
AllocationWatch::~AllocationWatch() { watching = false; }
std::size_t AllocationWatch::calls() const { return calls_seen; }
std::size_t AllocationWatch::largest() const { return largest_seen; }

}  // namespace anybit
