#pragma once

#include <cstddef>

namespace anybit {

/// Watches this thread's calls of operator new from its construction on. One at a time.
class AllocationWatch {
 public:
  AllocationWatch();
  ~AllocationWatch();
  AllocationWatch(const AllocationWatch&) = delete;
  AllocationWatch& operator=(const AllocationWatch&) = delete;

  std::size_t calls() const;
  std::size_t largest() const;  // bytes of the largest single request
};

}  // namespace anybit
