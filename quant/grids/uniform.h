#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/buffer.h"

namespace anybit {

inline constexpr int kSmallestWidth = 2;
inline constexpr int kLargestWidth = 16;

/// How a real becomes the nearest integer.
enum class Rounding : std::uint8_t {
  kHalfEven,    // ties to the even integer, as PyTorch and ONNX do
  kHalfUp,      // floor(u + 1/2), computed without rounding u + 1/2 itself
  kStochastic,  // floor(u) + Bernoulli(u - floor(u)): unbiased
};

/// "half_even", "half_up", "stochastic"; throws std::invalid_argument for anything else.
Rounding rounding_from(std::string_view name);

/// Evenly spaced levels. The one equation of the grid:
///   code  = clip(round((x - offset) * (1 / scale)) + zero_point, low, high)
///   value = scale * (code - zero_point) + offset
/// All of it in float; codes have at most 16 bits, so sums of codes are exact. `scale` 0 marks a range without extent
/// (all values zero): such a grid returns its input unchanged.
struct UniformGrid {
  float scale = 0;
  int zero_point = 0;
  float offset = 0;
  int low = 0;   // smallest code
  int high = 0;  // largest code

  bool passes_through() const { return scale == 0.0F; }
  bool uniform() const { return true; }
  /// Zero is a level: padding and ReLU zeros stay exact.
  bool has_zero() const { return offset == 0.0F && low <= zero_point && zero_point <= high; }
  /// Dropping the lowest bit of every code gives exactly the codes of the grid with one bit less (specs A 5.1).
  bool nested() const;
  bool operator==(const UniformGrid&) const = default;
};

/// Largest code of a symmetric grid: 2^(bits-1) - 1.
int largest_code(int bits);

/// Codes -(2^(bits-1)-1) ... 2^(bits-1)-1 (narrow), or from -2^(bits-1) (full range); `step` apart.
UniformGrid symmetric_grid(float step, int bits, bool full_range = false);

/// The symmetric grid whose largest code stands for `magnitude`. Passes through where that is no grid of finite levels
/// and a finite inverse: zero, too small for a step, too large, not finite.
UniformGrid symmetric_grid_for(float magnitude, int bits, bool full_range = false);

/// Codes 0 ... 2^bits-1 over [low, high], widened to contain 0; the zero point is an integer code (Jacob et al., CVPR
/// 2018, section 2.1). low == high == 0 passes through, and so does a range that is not finite.
UniformGrid asymmetric_grid(float low, float high, int bits);

/// The equation's parts, for every loop that walks a grid: all in float, the same bits wherever they are inlined.
/// `low` and `high` are the limits of a code less the zero point, `inverse` is 1 / scale.
template <Rounding rounding>
inline float round_to_integer(float u, float draw) {
  if constexpr (rounding == Rounding::kHalfEven) return std::nearbyint(u);
  const float below = std::floor(u);
  const float fraction = u - below;
  if constexpr (rounding == Rounding::kHalfUp) return below + (fraction >= 0.5F ? 1.0F : 0.0F);
  return below + (draw < fraction ? 1.0F : 0.0F);
}

/// NaN becomes `low`.
inline float clip_code(float rounded, float low, float high) {
  const float raised = low < rounded ? rounded : low;
  return high < raised ? high : raised;
}

/// Code less the zero point.
template <Rounding rounding>
inline float grid_code(float x, float inverse, float offset, float low, float high, float draw = 0.0F) {
  return clip_code(round_to_integer<rounding>((x - offset) * inverse, draw), low, high);
}

/// A code of -0 becomes a plain 0, as an integer's would, with the offset's + 0.
inline float grid_value(float code, float scale, float offset) { return scale * code + offset; }

/// One value through the equation. `draw` in [0, 1) is read by stochastic rounding only.
int encode(const UniformGrid& grid, Rounding rounding, float x, float draw = 0.0F);
float decode(const UniformGrid& grid, int code);

/// One grid per channel, held as one array per field so that kernels can walk channels side by side. One channel is a
/// whole tensor. Element i belongs to channel (i / channel_stride) % channels.
class ChannelGrids {
 public:
  explicit ChannelGrids(int channels = 1) { resize(channels); }
  void resize(int channels);
  void set(int channel, const UniformGrid& grid);
  UniformGrid at(int channel) const { return grids_[static_cast<std::size_t>(channel)]; }
  int channels() const { return static_cast<int>(grids_.size()); }
  std::size_t bytes() const { return held_bytes(grids_, scale_, inverse_, offset_, low_, high_); }

  // What the kernels read: limits are codes less the zero point, as floats.
  const float* scale() const { return scale_.data(); }
  const float* inverse() const { return inverse_.data(); }
  const float* offset() const { return offset_.data(); }
  const float* low() const { return low_.data(); }
  const float* high() const { return high_.data(); }

 private:
  std::vector<UniformGrid> grids_;
  std::vector<float> scale_, inverse_, offset_, low_, high_;
};

/// Fake quantization, plainly: encode and decode, element by element. It stays as the definition of the fast one.
void quantize_reference(const ChannelGrids& grids, int channel_stride, Rounding rounding, std::span<const float> before,
                        std::span<const float> draws, std::span<float> after);

/// The same bits, vectorised. `draws` (one per element, [0, 1)) is read by stochastic rounding only and may be `after`
/// itself; `before` may be `after` too, but then not `draws`.
void quantize(const ChannelGrids& grids, int channel_stride, Rounding rounding, std::span<const float> before,
              std::span<const float> draws, std::span<float> after);

/// Clipped straight-through estimator: zeroes the gradient where low > (x - offset) / scale + zero_point or high < it
/// (specs A 0.2; the boundary itself passes, B P1).
void mask_reference(const ChannelGrids& grids, int channel_stride, std::span<const float> before,
                    std::span<float> gradient);
void mask_clipped(const ChannelGrids& grids, int channel_stride, std::span<const float> before,
                  std::span<float> gradient);

/// True where no x in [low, high] is clipped: the mask is all ones.
bool never_clips(const UniformGrid& grid, float low, float high);

}  // namespace anybit
