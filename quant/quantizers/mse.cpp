#include "quant/quantizers/mse.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "quant/grids/extremes.h"
#include "quant/quantizers/rows.h"

namespace anybit {
namespace {

constexpr int kClips = 100;
constexpr int kRefinements = 14;  // shrinks two clips' distance by 0.618^14: to 2e-5 of the maximum
constexpr std::size_t kExactBelow = 4096;

void count_values(std::span<const float> values, float largest, std::span<std::uint32_t> counts) {
  std::fill(counts.begin(), counts.end(), 0U);
  const float bins_per_unit = static_cast<float>(counts.size()) * 0.5F / largest;
  const auto last = static_cast<float>(counts.size() - 1);
  // Clamped before the cast, which is undefined for what no integer holds.
  for (const float x : values) {
    const float bin = std::clamp((x + largest) * bins_per_unit, 0.0F, last);
    ++counts[static_cast<std::size_t>(bin)];
  }
}

// Squared error with every value at the middle of its bin.
double histogram_error(const UniformGrid& grid, float largest, std::span<const std::uint32_t> counts) {
  constexpr std::size_t kLanes = 16;
  const float width = 2.0F * largest / static_cast<float>(counts.size());
  const float scale = grid.scale;
  const float inverse = 1.0F / scale;
  const auto low = static_cast<float>(grid.low);
  const auto high = static_cast<float>(grid.high);
  std::array<double, kLanes> lanes{};
  for (std::size_t i = 0; i < counts.size(); i += kLanes) {
    for (std::size_t lane = 0; lane < kLanes; ++lane) {
      const auto bin = static_cast<float>(static_cast<int>(i + lane));
      const float x = (bin + 0.5F) * width - largest;
      const float code = grid_code<Rounding::kHalfEven>(x, inverse, 0.0F, low, high);
      const float difference = grid_value(code, scale, 0.0F) - x;
      lanes[lane] +=
          static_cast<double>(difference * difference * static_cast<float>(static_cast<int>(counts[i + lane])));
    }
  }
  double total = 0;
  for (const double lane : lanes) total += lane;
  return total;
}

struct Best {
  float magnitude = 0;
  double error = 0;
  void offer(float other, double its_error) {
    if (its_error < error) *this = {other, its_error};
  }
};

// Golden-section search on [low, high]; every point that it looks at is offered.
template <class Error>
void refine(float low, float high, const Error& error, Best& best) {
  constexpr float kRatio = 0.618034F;
  float left = high - kRatio * (high - low);
  float right = low + kRatio * (high - low);
  double left_error = error(left);
  double right_error = error(right);
  best.offer(left, left_error);
  best.offer(right, right_error);
  for (int i = 0; i < kRefinements; ++i) {
    if (left_error <= right_error) {
      high = right;
      right = left;
      right_error = left_error;
      left = high - kRatio * (high - low);
      best.offer(left, left_error = error(left));
    } else {
      low = left;
      left = right;
      left_error = right_error;
      right = low + kRatio * (high - low);
      best.offer(right, right_error = error(right));
    }
  }
}

class LeastError final : public RangeRule {
 public:
  UniformGrid fit(std::span<const float> values, const FitRequest& request, FitScratch& scratch) const override {
    const float magnitude = least_error_magnitude(values, request.bits, request.full_range, scratch);
    return symmetric_grid_for(magnitude, request.bits, request.full_range);
  }
};

}  // namespace

float least_error_magnitude(std::span<const float> values, int bits, bool full_range, FitScratch& scratch) {
  const float largest = largest_magnitude(values);
  // Squares that no float holds cannot be compared (this also keeps NaN and infinities out of the search).
  if (!std::isnormal(largest * largest)) return largest;
  const UniformGrid widest = symmetric_grid_for(largest, bits, full_range);
  if (symmetric_grid_for(largest / kClips, bits, full_range).passes_through()) return largest;
  const auto error = [&](float magnitude) {
    return squared_error(symmetric_grid_for(magnitude, bits, full_range), values);
  };
  Best best{largest, squared_error(widest, values)};
  Best coarse = best;
  if (values.size() <= kExactBelow) {
    for (int i = 1; i < kClips; ++i) {
      const float clip = largest * static_cast<float>(i) / kClips;
      coarse.offer(clip, error(clip));
    }
    best = coarse;
  } else {
    scratch.reserve(0);
    const std::span<std::uint32_t> counts = std::span(scratch.counts).first(kHistogramBins);
    count_values(values, largest, counts);
    coarse.error = histogram_error(widest, largest, counts);
    for (int i = 1; i < kClips; ++i) {
      const float clip = largest * static_cast<float>(i) / kClips;
      coarse.offer(clip, histogram_error(symmetric_grid_for(clip, bits, full_range), largest, counts));
    }
    best.offer(coarse.magnitude, error(coarse.magnitude));
  }
  const float distance = largest / kClips;
  refine(std::max(coarse.magnitude - distance, 0.1F * distance), std::min(coarse.magnitude + distance, largest), error,
         best);
  return best.magnitude;
}

RangeRuleTable::Row mse_rule() {
  RowInfo info;
  info.name = "mse";
  info.help = "the clip with the least squared error: 100 clips, then golden section";
  info.neutral.reason = "a range always has a width";
  return {info, [](const Options&) { return std::make_unique<LeastError>(); }};
}

}  // namespace anybit
