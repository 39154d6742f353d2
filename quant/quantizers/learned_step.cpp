#include "quant/quantizers/learned_step.h"

#include <algorithm>
#include <cmath>

#include "nn/arithmetic.h"

namespace anybit {
namespace {

// gradient_i d_i of one element; the caller multiplies sums of it by the step.
inline float step_term(float before, float rounded, float gradient, float inverse, float low, float high) {
  const float u = before * inverse;
  const float inside = std::nearbyint(rounded * inverse) - u;
  const float below_or_inside = u < low ? low : inside;
  return gradient * (high < u ? high : below_or_inside);
}

struct Elements {
  const float* before;
  const float* rounded;
  const float* gradient;
  std::size_t size;
};

// Float lanes over a short block keep the loop vectorised; blocks add up in double.
double block_sum(const Elements& elements, std::size_t begin, std::size_t end, const UniformGrid& grid) {
  constexpr std::size_t kLanes = 16;
  const float inverse = 1.0F / grid.scale;
  const auto low = static_cast<float>(grid.low - grid.zero_point);
  const auto high = static_cast<float>(grid.high - grid.zero_point);
  const float *before = elements.before, *rounded = elements.rounded, *gradient = elements.gradient;
  float lanes[kLanes] = {};
  std::size_t i = begin;
  for (; i + kLanes <= end; i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane)
      lanes[lane] += step_term(before[i + lane], rounded[i + lane], gradient[i + lane], inverse, low, high);
  for (std::size_t lane = 0; i < end; ++i, ++lane)
    lanes[lane] += step_term(before[i], rounded[i], gradient[i], inverse, low, high);
  double total = 0;
  for (const float lane : lanes) total += static_cast<double>(lane);
  return total;
}

// One group's sum: `run` elements from `begin`, again every `period`.
double group_sum(const UniformGrid& grid, const Elements& elements, std::size_t begin, std::size_t run,
                 std::size_t period) {
  constexpr std::size_t kBlock = 512;
  double total = 0;
  for (; begin < elements.size; begin += period) {
    const std::size_t end = std::min(begin + run, elements.size);
    for (std::size_t i = begin; i < end; i += kBlock) total += block_sum(elements, i, std::min(i + kBlock, end), grid);
  }
  return total;
}

// Sums of `count` neighbouring groups, from `first` on, where every row holds one element a group.
void row_sums(const ChannelGrids& grids, const Elements& elements, std::size_t first, std::size_t count,
              std::span<double> sums) {
  const auto channels = static_cast<std::size_t>(grids.channels());
  std::fill(sums.begin(), sums.end(), 0.0);
  for (std::size_t row = first; row < elements.size; row += channels)
    for (std::size_t k = 0; k < count; ++k)
      sums[k] +=
          static_cast<double>(step_term(elements.before[row + k], elements.rounded[row + k], elements.gradient[row + k],
                                        grids.inverse()[first + k], grids.low()[first + k], grids.high()[first + k]));
}

}  // namespace

std::string step_tensor_name(const std::string& weight, int width) { return weight + ".step" + std::to_string(width); }

std::invalid_argument no_learned_step(const std::string& slot, int width) {
  return std::invalid_argument("the method learned no step of " + slot + " at " + std::to_string(width) +
                               " bits; train with this width, or choose another range rule");
}

TensorSpec step_tensor(const TensorSpec& weight, int width, bool per_channel) {
  TensorSpec spec;
  spec.name = step_tensor_name(weight.name, width);
  spec.shape = {per_channel ? weight.channels : 1};
  spec.role = Role::kQuantizer;
  spec.merge = Merge::kLogMean;
  spec.group = {1.0F, false};
  return spec;
}

float step_from_log2(float log2_step) {
  return static_cast<float>(fixed_exp2(std::fmin(std::fmax(static_cast<double>(log2_step), -60.0), 60.0)));
}

double first_learned_step(double mean_magnitude, int largest_code) {
  return 2.0 * mean_magnitude / std::sqrt(static_cast<double>(largest_code));
}

void initial_log2_steps(std::span<const float> weights, int channel_stride, int width, std::span<float> log2_steps) {
  const std::size_t groups = log2_steps.size();
  const auto stride = groups == 1 ? weights.size() : static_cast<std::size_t>(channel_stride);
  const auto n = static_cast<double>(weights.size() / groups);
  for (std::size_t c = 0; c < groups; ++c) {
    double sum = 0;
    for (std::size_t begin = c * stride; begin < weights.size(); begin += groups * stride)
      for (std::size_t i = begin; i < begin + stride; ++i) sum += std::fabs(static_cast<double>(weights[i]));
    const double step = first_learned_step(sum / n, largest_code(width));
    log2_steps[c] = step > 0.0 ? static_cast<float>(fixed_log2(step)) : 0.0F;
  }
}

double lsq_divisor(std::size_t values, int largest_code) {
  return std::sqrt(static_cast<double>(values) * largest_code);
}

void learned_step_backward(const ChannelGrids& grids, int channel_stride, double divisor, std::span<const float> before,
                           std::span<const float> rounded, std::span<float> gradient, std::span<float> log2_gradient,
                           double further) {
  constexpr double kLeastScale = 0x1p-14;
  constexpr double kLn2 = 0.693147180559945309417;
  const auto groups = static_cast<std::size_t>(grids.channels());
  const Elements elements{before.data(), rounded.data(), gradient.data(), before.size()};
  const auto write = [&](std::size_t c, double sum) {
    const auto scale = static_cast<double>(grids.at(static_cast<int>(c)).scale);
    log2_gradient[c] += static_cast<float>((sum + further) / (divisor * std::max(scale, kLeastScale) * kLn2));
  };
  if (groups > 1 && channel_stride == 1) {
    double sums[64];
    for (std::size_t first = 0; first < groups; first += std::size(sums)) {
      const std::size_t count = std::min(std::size(sums), groups - first);
      row_sums(grids, elements, first, count, sums);
      for (std::size_t k = 0; k < count; ++k) write(first + k, sums[k]);
    }
  } else {
    const std::size_t run = groups == 1 ? before.size() : static_cast<std::size_t>(channel_stride);
    for (std::size_t c = 0; c < groups; ++c)
      write(c, group_sum(grids.at(static_cast<int>(c)), elements, c * run, run, groups * run));
  }
  mask_clipped(grids, channel_stride, before, gradient);
}

}  // namespace anybit
