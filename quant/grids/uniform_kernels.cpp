// The fast forms of uniform.cpp's reference kernels. Start at `walk`: it cuts a tensor into runs of elements that share
// one grid (whole tensor, channel_stride > 1) or lie beside a row of grids (channel_stride 1), and each run is a loop
// that the compiler turns into vector code. Equality with the reference, bit for bit, is a test.
#include <algorithm>
#include <cstddef>

#include "quant/grids/uniform.h"

namespace anybit {
namespace {

// Elements that share one grid.
template <Rounding rounding>
void quantize_run(const ChannelGrids& grids, std::size_t c, const float* before, const float* draws, float* after,
                  std::size_t n) {
  const float scale = grids.scale()[c], inverse = grids.inverse()[c], offset = grids.offset()[c];
  const float low = grids.low()[c], high = grids.high()[c];
  if (scale == 0.0F) {
    std::copy(before, before + n, after);
    return;
  }
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) {
    const float draw = rounding == Rounding::kStochastic ? draws[i] : 0.0F;
    after[i] = grid_value(grid_code<rounding>(before[i], inverse, offset, low, high, draw), scale, offset);
  }
}

// Elements beside one grid each.
template <Rounding rounding>
void quantize_row(const ChannelGrids& grids, const float* before, const float* draws, float* after, std::size_t n) {
  const float *scale = grids.scale(), *inverse = grids.inverse(), *offset = grids.offset();
  const float *low = grids.low(), *high = grids.high();
#pragma GCC ivdep
  for (std::size_t c = 0; c < n; ++c) {
    const float draw = rounding == Rounding::kStochastic ? draws[c] : 0.0F;
    const float x = before[c];
    const float code = grid_code<rounding>(x, inverse[c], offset[c], low[c], high[c], draw);
    const float value = grid_value(code, scale[c], offset[c]);
    after[c] = scale[c] == 0.0F ? x : value;
  }
}

void mask_run(const ChannelGrids& grids, std::size_t c, const float* before, float* gradient, std::size_t n) {
  const float inverse = grids.inverse()[c], offset = grids.offset()[c];
  const float low = grids.low()[c], high = grids.high()[c];
  if (grids.scale()[c] == 0.0F) return;
#pragma GCC ivdep
  for (std::size_t i = 0; i < n; ++i) {
    const float u = (before[i] - offset) * inverse;
    gradient[i] = static_cast<int>(u >= low) & static_cast<int>(u <= high) ? gradient[i] : 0.0F;
  }
}

void mask_row(const ChannelGrids& grids, const float* before, float* gradient, std::size_t n) {
  const float *scale = grids.scale(), *inverse = grids.inverse(), *offset = grids.offset();
  const float *low = grids.low(), *high = grids.high();
#pragma GCC ivdep
  for (std::size_t c = 0; c < n; ++c) {
    const float u = (before[c] - offset[c]) * inverse[c];
    const int inside = static_cast<int>(u >= low[c]) & static_cast<int>(u <= high[c]);
    gradient[c] = inside | static_cast<int>(scale[c] == 0.0F) ? gradient[c] : 0.0F;
  }
}

// run(channel, begin, length) for stretches of one grid; row(begin, length) for one element a channel.
template <class Run, class Row>
void walk(std::size_t size, int channels, int channel_stride, const Run& run, const Row& row) {
  const auto stride = static_cast<std::size_t>(channel_stride);
  const auto count = static_cast<std::size_t>(channels);
  if (count == 1) {
    run(std::size_t{0}, std::size_t{0}, size);
  } else if (stride == 1) {
    for (std::size_t i = 0; i < size; i += count) row(i, std::min(count, size - i));
  } else {
    for (std::size_t i = 0, c = 0; i < size; i += stride, c = c + 1 == count ? 0 : c + 1)
      run(c, i, std::min(stride, size - i));
  }
}

template <Rounding rounding>
void quantize_with(const ChannelGrids& grids, int channel_stride, std::span<const float> before,
                   std::span<const float> draws, std::span<float> after) {
  const float* draw = draws.data();
  walk(
      before.size(), grids.channels(), channel_stride,
      [&](std::size_t c, std::size_t i, std::size_t n) {
        quantize_run<rounding>(grids, c, before.data() + i, draw ? draw + i : nullptr, after.data() + i, n);
      },
      [&](std::size_t i, std::size_t n) {
        quantize_row<rounding>(grids, before.data() + i, draw ? draw + i : nullptr, after.data() + i, n);
      });
}

}  // namespace

void quantize(const ChannelGrids& grids, int channel_stride, Rounding rounding, std::span<const float> before,
              std::span<const float> draws, std::span<float> after) {
  if (rounding == Rounding::kHalfEven)
    quantize_with<Rounding::kHalfEven>(grids, channel_stride, before, draws, after);
  else if (rounding == Rounding::kHalfUp)
    quantize_with<Rounding::kHalfUp>(grids, channel_stride, before, draws, after);
  else
    quantize_with<Rounding::kStochastic>(grids, channel_stride, before, draws, after);
}

void mask_clipped(const ChannelGrids& grids, int channel_stride, std::span<const float> before,
                  std::span<float> gradient) {
  walk(
      before.size(), grids.channels(), channel_stride,
      [&](std::size_t c, std::size_t i, std::size_t n) {
        mask_run(grids, c, before.data() + i, gradient.data() + i, n);
      },
      [&](std::size_t i, std::size_t n) { mask_row(grids, before.data() + i, gradient.data() + i, n); });
}

}  // namespace anybit
