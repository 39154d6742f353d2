#pragma once

#include "nn/kernels/bodies/vector.h"

namespace anybit {
namespace {

// The matrices of F(4 x 4, 3 x 3) at the points 0, 1, -1, 2, -2 and infinity, as sums: apply() is one of them times a
// vector. A product by a power of two is exact, so contracted or not it gives the same sum; any other goes into a sum
// by fma() alone.

/// Sums and differences of what belongs to the points 1, -1 (near) and 2, -2 (far).
struct Pairs {
  Lanes near_sum, near, far_sum, far;
  explicit inline Pairs(const Lanes* t)
      : near_sum(t[1] + t[2]), near(t[1] - t[2]), far_sum(t[3] + t[4]), far(t[3] - t[4]) {}
};

/// And back: from sums and differences to the points.
inline void spread(Lanes even, Lanes odd, Lanes far_even, Lanes far_odd, Lanes* t) {
  t[1] = even + odd;
  t[2] = even - odd;
  t[3] = far_even + far_odd;
  t[4] = far_even - far_odd;
}

struct TransposedB {
  static constexpr std::size_t kFrom = 6, kTo = 6;
  static inline void apply(const Lanes* d, Lanes* t) {
    const Lanes even = d[4] - 4.0F * d[2], odd = d[3] - 4.0F * d[1];
    const Lanes far_even = d[4] - d[2], far_odd = 2.0F * (d[3] - d[1]);
    t[0] = fma(-5.0F, d[2], 4.0F * d[0]) + d[4];
    spread(even, odd, far_even, far_odd, t);
    t[5] = fma(-5.0F, d[3], 4.0F * d[1]) + d[5];
  }
};

struct B {
  static constexpr std::size_t kFrom = 6, kTo = 6;
  static inline void apply(const Lanes* t, Lanes* d) {
    const auto [near_sum, near, far_sum, far] = Pairs(t);
    d[0] = 4.0F * t[0];
    d[1] = 4.0F * (t[5] - near) - 2.0F * far;
    d[2] = fma(-5.0F, t[0], -4.0F * near_sum) - far_sum;
    d[3] = fma(-5.0F, t[5], near + 2.0F * far);
    d[4] = t[0] + near_sum + far_sum;
    d[5] = t[5];
  }
};

struct TransposedA {
  static constexpr std::size_t kFrom = 6, kTo = 4;
  static inline void apply(const Lanes* m, Lanes* y) {
    const auto [near_sum, near, far_sum, far] = Pairs(m);
    y[0] = m[0] + near_sum + far_sum;
    y[1] = near + 2.0F * far;
    y[2] = near_sum + 4.0F * far_sum;
    y[3] = near + 8.0F * far + m[5];
  }
};

struct A {
  static constexpr std::size_t kFrom = 4, kTo = 6;
  static inline void apply(const Lanes* y, Lanes* m) {
    const Lanes even = y[0] + y[2], odd = y[1] + y[3];
    const Lanes far_even = y[0] + 4.0F * y[2], far_odd = 2.0F * y[1] + 8.0F * y[3];
    m[0] = y[0];
    spread(even, odd, far_even, far_odd, m);
    m[5] = y[3];
  }
};

struct G {
  static constexpr std::size_t kFrom = 3, kTo = 6;
  static inline void apply(const Lanes* w, Lanes* u) {
    const Lanes even = (w[0] + w[2]) * (-1.0F / 6), far_even = fma(1.0F / 24, w[0], w[2] * (1.0F / 6));
    u[0] = w[0] * 0.25F;
    u[1] = fma(-1.0F / 6, w[1], even);
    u[2] = fma(1.0F / 6, w[1], even);
    u[3] = fma(1.0F / 12, w[1], far_even);
    u[4] = fma(-1.0F / 12, w[1], far_even);
    u[5] = w[2];
  }
};

struct TransposedG {
  static constexpr std::size_t kFrom = 6, kTo = 3;
  static inline void apply(const Lanes* u, Lanes* w) {
    const auto [near_sum, near, far_sum, far] = Pairs(u);
    w[0] = fma(1.0F / 24, far_sum, fma(-1.0F / 6, near_sum, u[0] * 0.25F));
    w[1] = fma(1.0F / 12, far, near * (-1.0F / 6));
    w[2] = fma(1.0F / 6, far_sum - near_sum, u[5]);
  }
};

/// write(i, j, .) = element (i, j) of T x T', where x is read(i, j).
template <class T, class Read, class Write>
inline void both_sides(Read read, Write write) {
  Lanes half[T::kTo][T::kFrom];
#pragma GCC unroll 6
  for (std::size_t j = 0; j < T::kFrom; ++j) {
    Lanes column[T::kFrom], turned[T::kTo];
#pragma GCC unroll 6
    for (std::size_t i = 0; i < T::kFrom; ++i) column[i] = read(i, j);
    T::apply(column, turned);
#pragma GCC unroll 6
    for (std::size_t i = 0; i < T::kTo; ++i) half[i][j] = turned[i];
  }
#pragma GCC unroll 6
  for (std::size_t i = 0; i < T::kTo; ++i) {
    Lanes row[T::kTo];
    T::apply(half[i], row);
#pragma GCC unroll 6
    for (std::size_t j = 0; j < T::kTo; ++j) write(i, j, row[j]);
  }
}

/// A tile's square of pixels in an image, which may reach over its edges.
struct Square {
  std::ptrdiff_t top, left;  // of the first pixel
  std::ptrdiff_t height, width;
  std::ptrdiff_t first;  // pixels before it, over all examples; not a pixel where it lies over an edge

  bool inside(std::size_t side) const {
    const std::ptrdiff_t last = static_cast<std::ptrdiff_t>(side);
    return top >= 0 && left >= 0 && top + last <= height && left + last <= width;
  }
  bool holds(std::size_t i, std::size_t j) const {
    const std::ptrdiff_t y = top + static_cast<std::ptrdiff_t>(i), x = left + static_cast<std::ptrdiff_t>(j);
    return y >= 0 && x >= 0 && y < height && x < width;
  }
  std::ptrdiff_t pixel(std::size_t i, std::size_t j) const {
    return first + static_cast<std::ptrdiff_t>(i) * width + static_cast<std::ptrdiff_t>(j);
  }
};

/// Calls visit(place of the tile among those of the call, its square) with squares of the input, which overlap, or of
/// the output, which do not.
template <bool kInput, class Visit>
inline void each_tile(const WinogradTiles& t, Visit visit) {
  const std::size_t wide = t.wide, of_example = t.high * wide;
  for (std::size_t tile = t.begin; tile < t.end; ++tile) {
    const std::size_t example = tile / of_example, row = tile % of_example / wide, column = tile % wide;
    Square s;
    s.height = static_cast<std::ptrdiff_t>(kInput ? t.in_height : t.out_height);
    s.width = static_cast<std::ptrdiff_t>(kInput ? t.in_width : t.out_width);
    const std::ptrdiff_t shift = kInput ? static_cast<std::ptrdiff_t>(t.padding) : 0;
    s.top = static_cast<std::ptrdiff_t>(row * WinogradTiles::kOutput) - shift;
    s.left = static_cast<std::ptrdiff_t>(column * WinogradTiles::kOutput) - shift;
    s.first = (static_cast<std::ptrdiff_t>(example) * s.height + s.top) * s.width + s.left;
    visit(tile - t.begin, s);
  }
}

/// v = T x T' for the squares of every tile; zeros where a square lies over an edge.
template <class T, bool kInput>
void read_squares(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* x, float* v) {
  each_tile<kInput>(tiles, [&](std::size_t tile, const Square& square) {
    const auto at = [&](std::size_t i, std::size_t j) {
      return x + square.pixel(i, j) * static_cast<std::ptrdiff_t>(channels);
    };
    const bool inside = square.inside(T::kFrom);
    for (std::size_t c = 0; c < channels; c += kLanes) {
      float* const to = v + tile * channels + c;
      const auto write = [&](std::size_t i, std::size_t j, Lanes value) {
        store(to + (i * WinogradTiles::kInput + j) * plane, value);
      };
      if (inside)
        both_sides<T>([&](std::size_t i, std::size_t j) { return load(at(i, j) + c); }, write);
      else
        both_sides<T>([&](std::size_t i, std::size_t j) { return square.holds(i, j) ? load(at(i, j) + c) : Lanes{}; },
                      write);
    }
  });
}

/// put(its place in y, channel, T v T') for the pixels of every tile that lie in the image.
template <class T, bool kInput, class Put>
inline void write_squares(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* v, float* y,
                          Put put) {
  each_tile<kInput>(tiles, [&](std::size_t tile, const Square& square) {
    const auto at = [&](std::size_t i, std::size_t j) {
      return y + square.pixel(i, j) * static_cast<std::ptrdiff_t>(channels);
    };
    const bool inside = square.inside(T::kTo);
    for (std::size_t c = 0; c < channels; c += kLanes) {
      const float* const from = v + tile * channels + c;
      const auto read = [&](std::size_t i, std::size_t j) {
        return load(from + (i * WinogradTiles::kInput + j) * plane);
      };
      if (inside)
        both_sides<T>(read, [&](std::size_t i, std::size_t j, Lanes value) { put(at(i, j) + c, c, value); });
      else
        both_sides<T>(read, [&](std::size_t i, std::size_t j, Lanes value) {
          if (square.holds(i, j)) put(at(i, j) + c, c, value);
        });
    }
  });
}

void winograd_input(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* x, float* v) {
  read_squares<TransposedB, true>(tiles, channels, plane, x, v);
}

void winograd_output_gradient(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* dy,
                              float* dm) {
  read_squares<A, false>(tiles, channels, plane, dy, dm);
}

void winograd_output(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* m,
                     const float* bias, bool relu, float* y) {
  write_squares<TransposedA, false>(tiles, channels, plane, m, y, [&](float* to, std::size_t c, Lanes value) {
    if (bias != nullptr) value += load(bias + c);
    store(to, relu ? keep(value > 0.0F, value) : value);
  });
}

void winograd_input_gradient(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* dv,
                             float* dx) {
  write_squares<B, true>(tiles, channels, plane, dv, dx,
                         [](float* to, std::size_t, Lanes value) { store(to, load(to) + value); });
}

/// Calls visit(first of kLanes filters in w, its offset in a plane of transforms).
template <class Visit>
inline void each_filter(const WinogradFilters& f, Visit visit) {
  for (std::size_t r = 0; r < f.rows; ++r)
    for (std::size_t c = 0; c < f.columns; c += kLanes)
      visit(r * f.row_stride + c * f.column_stride, r * f.columns + c);
}

void winograd_filters(const WinogradFilters& f, const float* w, float* u) {
  const std::size_t plane = f.rows * f.columns;
  each_filter(f, [&](std::size_t filter, std::size_t place) {
    both_sides<G>(
        [&](std::size_t i, std::size_t j) {
          Lanes value;
          for (std::size_t k = 0; k < kLanes; ++k) value[k] = w[filter + k * f.column_stride + 3 * i + j];
          return value;
        },
        [&](std::size_t i, std::size_t j, Lanes value) {
          store(u + (i * WinogradTiles::kInput + j) * plane + place, value);
        });
  });
}

void winograd_filters_gradient(const WinogradFilters& f, const float* du, float* dw) {
  const std::size_t plane = f.rows * f.columns;
  each_filter(f, [&](std::size_t filter, std::size_t place) {
    both_sides<TransposedG>(
        [&](std::size_t i, std::size_t j) { return load(du + (i * WinogradTiles::kInput + j) * plane + place); },
        [&](std::size_t i, std::size_t j, Lanes value) {
          for (std::size_t k = 0; k < kLanes; ++k) dw[filter + k * f.column_stride + 3 * i + j] = value[k];
        });
  });
}

constexpr WinogradKernels kWinograd = {
    .input = winograd_input,
    .output = winograd_output,
    .output_gradient = winograd_output_gradient,
    .input_gradient = winograd_input_gradient,
    .filters = winograd_filters,
    .filters_gradient = winograd_filters_gradient,
};

}  // namespace
}  // namespace anybit
