// Matrix products of the sizes that dense layers have, a batch of some ten or thirty rows against a weight that is read
// once, and those of Winograd's planes, which stay in a cache. Sums run over k (or n) in ascending order within one
// register chain, so results do not depend on tiling.
#pragma once

#include "nn/kernels/bodies/plain_step.h"
#include "nn/kernels/bodies/vector.h"

namespace anybit {
namespace {

// Accumulators of one tile: as many as leave registers for what they are fed with.
// Broad ones where v stays near, tall ones where v is a weight that is read once or has no columns for a broad one.
constexpr std::size_t kTallRows = kLanes == 8 ? 5 : 10;
constexpr std::size_t kTallVectors = 2;
constexpr std::size_t kBroadRows = 5;
constexpr std::size_t kBroadVectors = kLanes == 8 ? 2 : 4;
constexpr std::size_t kDotRows = kLanes == 16 ? 5 : 3;
/// Rows of v that stay in the first-level cache while all rows of c pass over them.
constexpr std::size_t kBlock = 128;
/// Floats that stay in the second-level cache beside others.
constexpr std::size_t kSmall = 32768;

/// The part of a product that one tile computes: rows of v from `begin` to `end`. Sums that begin later go on from c.
struct Terms {
  std::size_t begin, end;
};

/// Writes one register of c, or steps its `fresh` lanes: the others were written before.
template <bool kStep>
inline void finish(const SumOfRows& p, float* c, Lanes sum, bool last, IntLanes fresh) {
  if constexpr (kStep) {
    const Lanes w = load(c);
    store(c, fresh ? stepped(w, sum, *p.step) : w);
  } else {
    if (p.accumulate) sum = fresh ? sum : load(c);
    store(c, p.relu && last ? keep(sum > 0.0F, sum) : sum);
  }
}

/// kRows rows of c from row `a` on, kVectors registers from column `n` on.
template <std::size_t kRows, std::size_t kVectors, bool kStep>
inline void sum_tile(const SumOfRows& p, std::size_t a, std::size_t n, Terms terms, IntLanes fresh = ~IntLanes{}) {
  Lanes sum[kRows][kVectors];
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) {
      const std::size_t column = n + j * kLanes;
      if (!kStep && (terms.begin > 0 || p.accumulate))
        sum[r][j] = load(p.c + (a + r) * p.c_stride + column);
      else
        sum[r][j] = !kStep && p.start != nullptr ? load(p.start + column) : Lanes{};
    }
  const float* coefficient = p.coefficients + a * p.row_stride;
#pragma GCC unroll 1
  for (std::size_t k = terms.begin; k < terms.end; ++k) {
    Lanes v[kVectors];
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j) v[j] = load(p.v + k * p.v_stride + n + j * kLanes);
#pragma GCC unroll 16
    for (std::size_t r = 0; r < kRows; ++r) {
      const float factor = coefficient[k * p.term_stride + r * p.row_stride];
#pragma GCC unroll 4
      for (std::size_t j = 0; j < kVectors; ++j) sum[r][j] += v[j] * factor;
    }
  }
#pragma GCC unroll 16
  for (std::size_t r = 0; r < kRows; ++r)
#pragma GCC unroll 4
    for (std::size_t j = 0; j < kVectors; ++j)
      finish<kStep>(p, p.c + (a + r) * p.c_stride + n + j * kLanes, sum[r][j], terms.end == p.terms, fresh);
}

/// visit.template operator()<rows>(first row), for a number of rows that is known only now, 1 to kMost.
template <std::size_t kMost, class Visit>
inline void visit_rows(std::size_t rows, std::size_t first, Visit& visit) {
  if (rows == kMost) return visit.template operator()<kMost>(first);
  if constexpr (kMost > 1) visit_rows<kMost - 1>(rows, first, visit);
}

/// Visits all rows of c in tiles of at most kMost rows, as equal as can be: a small last one would cost as much as a
/// full one.
template <std::size_t kMost, class Visit>
inline void each_row_tile(std::size_t rows, Visit visit) {
  const std::size_t tiles = (rows + kMost - 1) / kMost;
  for (std::size_t tile = 0; tile < tiles; ++tile) {
    const std::size_t begin = rows * tile / tiles, end = rows * (tile + 1) / tiles;
    visit_rows<kMost>(end - begin, begin, visit);
  }
}

/// The columns that make no wide tile, over all terms. The last register ends with the row and may overlap what is
/// done: a sum comes out the same again.
template <std::size_t kRows, bool kStep>
inline void sum_last_columns(const SumOfRows& p, std::size_t a, std::size_t n) {
  for (; n + 2 * kLanes <= p.columns; n += 2 * kLanes) sum_tile<kRows, 2, kStep>(p, a, n, {0, p.terms});
  for (; n + kLanes <= p.columns; n += kLanes) sum_tile<kRows, 1, kStep>(p, a, n, {0, p.terms});
  if (n < p.columns) sum_tile<kRows, 1, kStep>(p, a, p.columns - kLanes, {0, p.terms}, last_lanes(p.columns - n));
}

/// v stays in a cache: c is written, or stepped, row by row.
template <std::size_t kMostRows, std::size_t kVectors, bool kStep>
void sum_by_rows(const SumOfRows& p) {
  constexpr std::size_t kWide = kVectors * kLanes;
  const std::size_t whole = p.columns - p.columns % kWide;
  each_row_tile<kMostRows>(p.rows, [&]<std::size_t kRows>(std::size_t a) {
    for (std::size_t n = 0; n < whole; n += kWide) sum_tile<kRows, kVectors, kStep>(p, a, n, {0, p.terms});
    sum_last_columns<kRows, kStep>(p, a, whole);
  });
}

/// v is large and read once: all rows of c pass over a block of it.
void sum_by_columns(const SumOfRows& p) {
  constexpr std::size_t kWide = kTallVectors * kLanes;
  const std::size_t whole = p.columns - p.columns % kWide;
  const std::size_t block = p.rows > kTallRows ? kBlock : p.terms;
  for (std::size_t begin = 0; begin < p.terms; begin += block) {
    const std::size_t end = begin + block < p.terms ? begin + block : p.terms;
    for (std::size_t n = 0; n < whole; n += kWide)
      each_row_tile<kTallRows>(p.rows, [&]<std::size_t kRows>(std::size_t a) {
        sum_tile<kRows, kTallVectors, false>(p, a, n, {begin, end});
      });
  }
  each_row_tile<kTallRows>(p.rows,
                           [&]<std::size_t kRows>(std::size_t a) { sum_last_columns<kRows, false>(p, a, whole); });
}

/// Rows that are shorter than a register, number by number.
void sum_narrow(const SumOfRows& p) {
  for (std::size_t a = 0; a < p.rows; ++a)
    for (std::size_t n = 0; n < p.columns; ++n) {
      float sum = p.step == nullptr && p.start != nullptr ? p.start[n] : 0.0F;
      if (p.accumulate) sum = p.c[a * p.c_stride + n];
      for (std::size_t k = 0; k < p.terms; ++k)  // written out: else the compiler may multiply a few at once first
        sum = __builtin_fmaf(p.coefficients[k * p.term_stride + a * p.row_stride], p.v[k * p.v_stride + n], sum);
      float& c = p.c[a * p.c_stride + n];
      if (p.step != nullptr)
        c = stepped(Lanes{} + c, Lanes{} + sum, *p.step)[0];
      else
        c = p.relu && !(sum > 0.0F) ? 0.0F : sum;
    }
}

void sum_of_rows(const SumOfRows& p) {
  if (p.columns < kLanes)
    sum_narrow(p);
  else if (p.step != nullptr)
    sum_by_rows<kBroadRows, kBroadVectors, true>(p);
  else if (p.terms * p.columns > kSmall)
    sum_by_columns(p);
  else if (p.columns < kBroadVectors * kLanes)
    sum_by_rows<kTallRows, kTallVectors, false>(p);
  else
    sum_by_rows<kBroadRows, kBroadVectors, false>(p);
}

/// A dot product is as many sums as this, of every so manieth number: registers of four lanes go in pairs, so that they
/// give the bits that registers of eight do.
constexpr std::size_t kDotParts = kLanes < 8 ? 8 / kLanes : 1;
constexpr std::size_t kDotSums = kDotParts * kLanes;

/// The sum of all sums, by halves.
inline float total(const Lanes* parts) {
  Lanes v = parts[0];
#pragma GCC unroll 2
  for (std::size_t part = 1; part < kDotParts; ++part) v += parts[part];
  for (std::size_t half = kLanes / 2; half > 0; half /= 2) {
    IntLanes from;
    for (std::size_t i = 0; i < kLanes; ++i) from[i] = static_cast<std::int32_t>((i + half) % kLanes);
    v += __builtin_shuffle(v, from);
  }
  return v[0];
}

/// A part of the last elements of a row whose length is no multiple of kDotSums, in some lanes; zeros in the others.
inline Lanes load_tail(const float* row, std::size_t length, std::size_t part) {
  if (length > kDotSums) {
    const std::size_t later = (kDotParts - 1 - part) * kLanes, left = length % kDotSums;
    const std::size_t here = left < later ? 0 : left - later;
    return keep(last_lanes(here < kLanes ? here : kLanes), load(row + length - later - kLanes));
  }
  Lanes few = {};
  for (std::size_t i = 0; i < kLanes && part * kLanes + i < length; ++i) few[i] = row[part * kLanes + i];
  return few;
}

template <std::size_t kRows, std::size_t kColumns>
inline void dot_tile(const DotsOfRows& p, std::size_t a, std::size_t b) {
  Lanes sum[kRows][kColumns][kDotParts] = {};
  const auto step = [&](auto read) {
#pragma GCC unroll 2
    for (std::size_t part = 0; part < kDotParts; ++part) {
      Lanes right[kColumns];
#pragma GCC unroll 8
      for (std::size_t j = 0; j < kColumns; ++j) right[j] = read(p.right + (b + j) * p.terms, part);
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kRows; ++i) {
        const Lanes left = read(p.left + (a + i) * p.terms, part);
#pragma GCC unroll 8
        for (std::size_t j = 0; j < kColumns; ++j) sum[i][j][part] = fma(left, right[j], sum[i][j][part]);
      }
    }
  };
  const std::size_t whole = p.terms - p.terms % kDotSums;
#pragma GCC unroll 1
  for (std::size_t n = 0; n < whole; n += kDotSums)
    step([n](const float* row, std::size_t part) { return load(row + n + part * kLanes); });
  if (whole < p.terms) step([&p](const float* row, std::size_t part) { return load_tail(row, p.terms, part); });
#pragma GCC unroll 8
  for (std::size_t i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (std::size_t j = 0; j < kColumns; ++j) {
      const float start = p.start != nullptr ? p.start[b + j] : 0.0F;
      const float value = total(sum[i][j]) + start;
      p.c[(a + i) * p.columns + b + j] = p.relu && !(value > 0.0F) ? 0.0F : value;
    }
}

/// All rows of c pass over a few rows of `right`, which is the larger one where it is a weight.
void dots_of_rows(const DotsOfRows& p) {
  each_row_tile<kDotRows>(p.columns, [&]<std::size_t kColumns>(std::size_t b) {
    each_row_tile<kDotRows>(p.rows, [&]<std::size_t kRows>(std::size_t a) { dot_tile<kRows, kColumns>(p, a, b); });
  });
}

}  // namespace
}  // namespace anybit
