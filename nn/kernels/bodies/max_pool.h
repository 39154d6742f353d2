#pragma once

#include "nn/kernels/bodies/vector.h"

namespace anybit {
namespace {

/// Calls visit(first input pixel of the window, its output pixel), both as offsets in floats.
template <class Visit>
inline void each_pool_window(const PoolWindows& w, Visit visit) {
  std::size_t out = 0;
  for (std::size_t row = 0; row < w.rows; ++row)
    for (std::size_t y = 0; y < w.out_height; ++y)
      for (std::size_t x = 0; x < w.out_width; ++x, out += w.channels)
        visit(((row * w.in_height + y * w.stride) * w.in_width + x * w.stride) * w.channels, out);
}

/// Calls visit(number of the pixel, its offset from the window's first one).
template <class Visit>
inline void each_pixel(const PoolWindows& w, Visit visit) {
  for (std::size_t i = 0; i < w.kernel; ++i)
    for (std::size_t j = 0; j < w.kernel; ++j)
      visit(static_cast<int>(i * w.kernel + j), (i * w.in_width + j) * w.channels);
}

/// One window's channels from `c` on, a register of them.
inline void pool_lanes(const PoolWindows& w, const float* x, float* y, std::uint8_t* winner, bool dead_at_zero) {
  Lanes best = load(x);
  IntLanes won = {};
  each_pixel(w, [&](int pixel, std::size_t offset) {
    const Lanes value = load(x + offset);
    const IntLanes wins = value > best;
    best = wins ? value : best;
    won = wins ? IntLanes{} + pixel : won;
  });
  store(y, best);
  if (winner == nullptr) return;
  if (dead_at_zero) won = best > 0.0F ? won : IntLanes{} + Kernels::kDeadWindow;
  store_bytes(winner, won);
}

inline void pool_one(const PoolWindows& w, const float* x, float* y, std::uint8_t* winner, bool dead_at_zero) {
  float best = *x;
  int won = 0;
  each_pixel(w, [&](int pixel, std::size_t offset) {
    if (!(x[offset] > best)) return;
    best = x[offset];
    won = pixel;
  });
  *y = best;
  if (winner == nullptr) return;
  *winner = dead_at_zero && !(best > 0.0F) ? Kernels::kDeadWindow : static_cast<std::uint8_t>(won);
}

void max_pool(const PoolWindows& w, const float* x, float* y, std::uint8_t* winner, bool dead_at_zero) {
  each_pool_window(w, [&](std::size_t in, std::size_t out) {
    std::size_t c = 0;
    for (; c + kLanes <= w.channels; c += kLanes)
      pool_lanes(w, x + in + c, y + out + c, winner ? winner + out + c : nullptr, dead_at_zero);
    for (; c < w.channels; ++c) pool_one(w, x + in + c, y + out + c, winner ? winner + out + c : nullptr, dead_at_zero);
  });
}

template <bool kTiles>
void spread_gradient(const PoolWindows& w, const float* dy, const std::uint8_t* winner, float* dx) {
  each_pool_window(w, [&](std::size_t in, std::size_t out) {
    std::size_t c = 0;
    for (; c + kLanes <= w.channels; c += kLanes) {
      const Lanes gradient = load(dy + out + c);
      const IntLanes won = load_bytes(winner + out + c);
      each_pixel(w, [&](int pixel, std::size_t offset) {
        float* const to = dx + in + c + offset;
        const Lanes share = keep(won == pixel, gradient);
        store(to, kTiles ? share : load(to) + share);
      });
    }
    for (; c < w.channels; ++c)
      each_pixel(w, [&](int pixel, std::size_t offset) {
        float& to = dx[in + c + offset];
        const float share = winner[out + c] == pixel ? dy[out + c] : 0.0F;
        to = kTiles ? share : to + share;
      });
  });
}

void max_pool_gradient(const PoolWindows& w, const float* dy, const std::uint8_t* winner, float* dx, bool tiles) {
  if (tiles)
    spread_gradient<true>(w, dy, winner, dx);
  else
    spread_gradient<false>(w, dy, winner, dx);
}

}  // namespace
}  // namespace anybit
