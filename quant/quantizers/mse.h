#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "quant/quantizers/range_rule.h"

namespace anybit {

inline constexpr std::size_t kHistogramBins = 8192;

/// The clip magnitude of a symmetric grid with the least squared error: 100 clips from max|x| / 100 to max|x|, then a
/// golden-section search between the best one's neighbours on all values (specs A 4.3, p = 2). Above 4096 values the
/// 100 clips are compared on a histogram of kHistogramBins. Never worse than min-max. 0 where all values are 0;
/// max|x| where its square is not a normal float (below 1e-19, above 1e19, not finite).
float least_error_magnitude(std::span<const float> values, int bits, bool full_range, FitScratch& scratch);

}  // namespace anybit
