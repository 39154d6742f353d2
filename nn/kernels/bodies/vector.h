// Vectors of ANYBIT_LANES floats as the compiler's own extension has them. Included by kernel bodies only.
#pragma once

#include "nn/kernels/kernels.h"
#if defined(__x86_64__)
#include <immintrin.h>  // leaves no copies of its functions behind, see kernels.h
#elif defined(__aarch64__)
#include <arm_neon.h>  // likewise
#endif

namespace anybit {
namespace {

constexpr std::size_t kLanes = ANYBIT_LANES;

typedef float Lanes __attribute__((vector_size(4 * ANYBIT_LANES)));
typedef std::int32_t IntLanes __attribute__((vector_size(4 * ANYBIT_LANES)));

// The same in memory, at any alignment and of any effective type.
typedef float LanesInMemory __attribute__((vector_size(4 * ANYBIT_LANES), aligned(4), may_alias));

inline Lanes load(const float* from) { return *reinterpret_cast<const LanesInMemory*>(from); }
inline void store(float* to, Lanes value) { *reinterpret_cast<LanesInMemory*>(to) = value; }

// Bytes to lanes and back; the compiler would go number by number.
#if defined(__AVX512F__)
constexpr __mmask16 kAll = 0xFFFF;  // g++ 12 warns of its own functions without a mask (GCC bug 105593)
inline IntLanes load_bytes(const std::uint8_t* from) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  return reinterpret_cast<IntLanes>(_mm512_maskz_cvtepu8_epi32(kAll, bytes));
}
inline void store_bytes(std::uint8_t* to, IntLanes value) {
  const __m128i bytes = _mm512_maskz_cvtepi32_epi8(kAll, reinterpret_cast<__m512i>(value));
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
}
#elif defined(__AVX2__) && ANYBIT_LANES == 8
inline IntLanes load_bytes(const std::uint8_t* from) {
  return reinterpret_cast<IntLanes>(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
}
inline void store_bytes(std::uint8_t* to, IntLanes value) {
  const __m256i words = _mm256_packs_epi32(reinterpret_cast<__m256i>(value), reinterpret_cast<__m256i>(value));
  const __m256i bytes = _mm256_packus_epi16(words, words);  // four numbers in each half
  const __m128i both = _mm_unpacklo_epi32(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1));
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), both);
}
#else
inline IntLanes load_bytes(const std::uint8_t* from) {
  IntLanes value;
  for (std::size_t i = 0; i < kLanes; ++i) value[i] = from[i];
  return value;
}
inline void store_bytes(std::uint8_t* to, IntLanes value) {
  for (std::size_t i = 0; i < kLanes; ++i) to[i] = static_cast<std::uint8_t>(value[i]);
}
#endif

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

/// a * b + c, rounded once, for sums that the compiler could contract in more than one way: which way it takes hangs on
/// the processor, and on branches around the sum.
inline Lanes fma(Lanes a, Lanes b, Lanes c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__) && ANYBIT_LANES == 8
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f32(c, a, b);
#else
  for (std::size_t i = 0; i < kLanes; ++i) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
#endif
}
inline Lanes fma(float a, Lanes b, Lanes c) { return fma(Lanes{} + a, b, c); }

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
