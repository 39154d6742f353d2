#include "tests/wire/allocations.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

thread_local bool watching = false;
thread_local std::size_t calls_seen = 0;
thread_local std::size_t largest_seen = 0;

}  // namespace

// All that std::free() takes back below: what is not replaced here would come from a sanitizer's own.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  if (watching) {
    ++calls_seen;
    largest_seen = std::max(largest_seen, size);
  }
  return std::malloc(size == 0 ? 1 : size);
}
void* operator new(std::size_t size) {
  if (void* memory = operator new(size, std::nothrow)) return memory;
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
