#include "quant/grids/uniform.h"

#include <algorithm>
#include <stdexcept>

namespace anybit {
namespace {

float round_to_integer(Rounding rounding, float u, float draw) {
  if (rounding == Rounding::kHalfEven) return std::nearbyint(u);
  const float below = std::floor(u);
  const float fraction = u - below;
  if (rounding == Rounding::kHalfUp) return fraction >= 0.5F ? below + 1.0F : below;
  return draw < fraction ? below + 1.0F : below;
}

std::size_t channel_of(std::size_t element, int channels, int channel_stride) {
  return (element / static_cast<std::size_t>(channel_stride)) % static_cast<std::size_t>(channels);
}

// The inverse that every kernel multiplies by.
float inverse_of(const UniformGrid& grid) { return grid.passes_through() ? 0.0F : 1.0F / grid.scale; }

}  // namespace

Rounding rounding_from(std::string_view name) {
  if (name == "half_even") return Rounding::kHalfEven;
  if (name == "half_up") return Rounding::kHalfUp;
  if (name == "stochastic") return Rounding::kStochastic;
  throw std::invalid_argument("unknown rounding '" + std::string(name) + "'; known: half_even, half_up, stochastic");
}

bool UniformGrid::nested() const {
  const int codes = high - low + 1;
  return zero_point == 0 && offset == 0.0F && codes > 2 && (codes & (codes - 1)) == 0 && low % 2 == 0;
}

int largest_code(int bits) { return (1 << (bits - 1)) - 1; }

UniformGrid symmetric_grid(float step, int bits, bool full_range) {
  const int largest = largest_code(bits);
  return {step, 0, 0.0F, full_range ? -largest - 1 : -largest, largest};
}

UniformGrid symmetric_grid_for(float magnitude, int bits, bool full_range) {
  const float step = magnitude / static_cast<float>(largest_code(bits));
  // A step so small that its inverse overflows cannot be a grid; such values are zero to everybody else.
  return symmetric_grid(std::isfinite(1.0F / step) ? step : 0.0F, bits, full_range);
}

UniformGrid asymmetric_grid(float low, float high, int bits) {
  low = std::min(low, 0.0F);
  high = std::max(high, 0.0F);
  const int largest = (1 << bits) - 1;
  const float step = (high - low) / static_cast<float>(largest);
  if (!std::isfinite(1.0F / step)) return {0.0F, 0, 0.0F, 0, largest};
  const int zero = static_cast<int>(std::nearbyint(-low / step));
  return {step, std::clamp(zero, 0, largest), 0.0F, 0, largest};
}

int encode(const UniformGrid& grid, Rounding rounding, float x, float draw) {
  const float rounded = round_to_integer(rounding, (x - grid.offset) * inverse_of(grid), draw);
  // Clipping before the zero point is added is the same and keeps the float inside the integers.
  const auto low = static_cast<float>(grid.low - grid.zero_point);
  const auto high = static_cast<float>(grid.high - grid.zero_point);
  return static_cast<int>(std::min(std::max(low, rounded), high)) + grid.zero_point;
}

float decode(const UniformGrid& grid, int code) {
  return grid.scale * static_cast<float>(code - grid.zero_point) + grid.offset;
}

void ChannelGrids::resize(int channels) {
  const auto n = static_cast<std::size_t>(channels);
  grids_.resize(n);
  for (std::vector<float>* field : {&scale_, &inverse_, &offset_, &low_, &high_}) field->resize(n);
}

void ChannelGrids::set(int channel, const UniformGrid& grid) {
  const auto c = static_cast<std::size_t>(channel);
  grids_[c] = grid;
  scale_[c] = grid.scale;
  inverse_[c] = inverse_of(grid);
  offset_[c] = grid.offset;
  low_[c] = static_cast<float>(grid.low - grid.zero_point);
  high_[c] = static_cast<float>(grid.high - grid.zero_point);
}

void quantize_reference(const ChannelGrids& grids, int channel_stride, Rounding rounding, std::span<const float> before,
                        std::span<const float> draws, std::span<float> after) {
  for (std::size_t i = 0; i < before.size(); ++i) {
    const UniformGrid grid = grids.at(static_cast<int>(channel_of(i, grids.channels(), channel_stride)));
    const float draw = rounding == Rounding::kStochastic ? draws[i] : 0.0F;
    after[i] = grid.passes_through() ? before[i] : decode(grid, encode(grid, rounding, before[i], draw));
  }
}

void mask_reference(const ChannelGrids& grids, int channel_stride, std::span<const float> before,
                    std::span<float> gradient) {
  for (std::size_t i = 0; i < before.size(); ++i) {
    const UniformGrid grid = grids.at(static_cast<int>(channel_of(i, grids.channels(), channel_stride)));
    if (grid.passes_through()) continue;
    const float u = (before[i] - grid.offset) * inverse_of(grid);
    const bool inside =
        u >= static_cast<float>(grid.low - grid.zero_point) && u <= static_cast<float>(grid.high - grid.zero_point);
    if (!inside) gradient[i] = 0.0F;
  }
}

bool never_clips(const UniformGrid& grid, float low, float high) {
  if (grid.passes_through()) return true;
  const float inverse = inverse_of(grid);
  return (low - grid.offset) * inverse >= static_cast<float>(grid.low - grid.zero_point) &&
         (high - grid.offset) * inverse <= static_cast<float>(grid.high - grid.zero_point);
}

}  // namespace anybit
