// Vectors of ANYBIT_LANES floats as the compiler's own extension has them. Included by kernel bodies only.
#pragma once

#include "nn/kernels/kernels.h"

namespace anybit {
namespace {

constexpr std::size_t kLanes = ANYBIT_LANES;

typedef float Lanes __attribute__((vector_size(4 * ANYBIT_LANES)));
typedef std::int32_t IntLanes __attribute__((vector_size(4 * ANYBIT_LANES)));
typedef std::uint8_t ByteLanes __attribute__((vector_size(ANYBIT_LANES)));

// The same in memory, at any alignment and of any effective type.
typedef float LanesInMemory __attribute__((vector_size(4 * ANYBIT_LANES), aligned(4), may_alias));
typedef std::uint8_t BytesInMemory __attribute__((vector_size(ANYBIT_LANES), aligned(1), may_alias));

inline Lanes load(const float* from) { return *reinterpret_cast<const LanesInMemory*>(from); }
inline void store(float* to, Lanes value) { *reinterpret_cast<LanesInMemory*>(to) = value; }
inline IntLanes load_bytes(const std::uint8_t* from) {
  return __builtin_convertvector(ByteLanes(*reinterpret_cast<const BytesInMemory*>(from)), IntLanes);
}
inline void store_bytes(std::uint8_t* to, IntLanes value) {
  *reinterpret_cast<BytesInMemory*>(to) = __builtin_convertvector(value, ByteLanes);
}

/// The compiler takes the value for one that it knows nothing of.
inline void hide(Lanes& value) {
#if defined(__x86_64__)
  asm volatile("" : "+v"(value));
#elif defined(__aarch64__)
  asm volatile("" : "+w"(value));
#else
  asm volatile("" : "+m"(value));
#endif
}

/// Set in the last `count` lanes.
inline IntLanes last_lanes(std::size_t count) {
  IntLanes lane;
  for (std::size_t i = 0; i < kLanes; ++i) lane[i] = static_cast<std::int32_t>(i);
  return lane >= static_cast<std::int32_t>(kLanes - count);
}

/// value where mask is set, 0 elsewhere.
inline Lanes keep(IntLanes mask, Lanes value) {
  return reinterpret_cast<Lanes>(mask & reinterpret_cast<IntLanes>(value));
}

}  // namespace
}  // namespace anybit
