#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace anybit {

/// 64-byte aligned storage: one cache line, one AVX-512 register.
template <class T>
struct AlignedAllocator {
  using value_type = T;
  AlignedAllocator() = default;
  template <class U>
  AlignedAllocator(const AlignedAllocator<U>&) {}  // NOLINT: the allocator concept asks for an implicit one
  T* allocate(std::size_t n) { return static_cast<T*>(::operator new (n * sizeof(T), std::align_val_t{64})); }
  void deallocate(T* p, std::size_t) { ::operator delete (p, std::align_val_t{64}); }
  bool operator==(const AlignedAllocator&) const { return true; }
};

/// What such buffers, or plain vectors, take.
template <class... Buffers>
std::size_t held_bytes(const Buffers&... buffers) {
  return (std::size_t{0} + ... + (buffers.size() * sizeof(typename Buffers::value_type)));
}

using FloatBuffer = std::vector<float, AlignedAllocator<float>>;

}  // namespace anybit
