#include "quant/grids/uniform.h"

#include <algorithm>
#include <stdexcept>

namespace anybit {
namespace {

float rounded_code(Rounding rounding, float x, float inverse, float offset, float low, float high, float draw) {
  if (rounding == Rounding::kHalfEven) return grid_code<Rounding::kHalfEven>(x, inverse, offset, low, high);
  if (rounding == Rounding::kHalfUp) return grid_code<Rounding::kHalfUp>(x, inverse, offset, low, high);
  return grid_code<Rounding::kStochastic>(x, inverse, offset, low, high, draw);
}

// Every level up to the code `largest` is finite, and so is the inverse step.
bool makes_grid(float step, int largest) {
  return std::isfinite(step * static_cast<float>(largest)) && std::isfinite(1.0F / step);
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
  return symmetric_grid(makes_grid(step, largest_code(bits) + 1) ? step : 0.0F, bits, full_range);
}

UniformGrid asymmetric_grid(float low, float high, int bits) {
  low = std::min(low, 0.0F);
  high = std::max(high, 0.0F);
  const int largest = (1 << bits) - 1;
  const float step = (high - low) / static_cast<float>(largest);
  if (!makes_grid(step, largest)) return {0.0F, 0, 0.0F, 0, largest};
  const int zero = static_cast<int>(std::nearbyint(-low / step));
  return {step, std::clamp(zero, 0, largest), 0.0F, 0, largest};
}

int encode(const UniformGrid& grid, Rounding rounding, float x, float draw) {
  // Clipping before the zero point is added is the same and keeps the float inside the integers.
  const auto low = static_cast<float>(grid.low - grid.zero_point);
  const auto high = static_cast<float>(grid.high - grid.zero_point);
  return static_cast<int>(rounded_code(rounding, x, inverse_of(grid), grid.offset, low, high, draw)) + grid.zero_point;
}

float decode(const UniformGrid& grid, int code) {
  return grid_value(static_cast<float>(code - grid.zero_point), grid.scale, grid.offset);
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
