#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "quant/grids/extremes.h"
#include "quant/quantizers/rows.h"

namespace anybit {
namespace {

// Clips |x| at its p-th percentile: the ceil(p n / 100)-th smallest magnitude, an exact order statistic. Where that is
// zero (most values are), the largest magnitude serves.
class Percentile final : public RangeRule {
 public:
  explicit Percentile(double percent) : percent_(percent) {}

  UniformGrid fit(std::span<const float> values, const FitRequest& request, FitScratch& scratch) const override {
    return symmetric_grid_for(magnitude(values, scratch), request.bits, request.full_range);
  }

 private:
  float magnitude(std::span<const float> values, FitScratch& scratch) const {
    if (values.empty()) return 0.0F;
    // fit_groups() may have gathered `values` behind the first values.size() elements; those are free.
    if (scratch.values.size() < values.size()) scratch.values.resize(values.size());
    const auto first = scratch.values.begin();
    const auto n = static_cast<std::ptrdiff_t>(values.size());
    std::transform(values.begin(), values.end(), first, [](float x) { return std::fabs(x); });
    // Without the factor a percentage such as 99.9, which no double is, would reach one rank too far.
    const auto rank = static_cast<std::ptrdiff_t>(std::ceil(percent_ / 100.0 * static_cast<double>(n) * (1 - 1e-12)));
    const auto chosen = first + std::clamp<std::ptrdiff_t>(rank, 1, n) - 1;
    // By their bits magnitudes are in order, NaN last; as floats NaN would be in no order at all.
    std::nth_element(first, chosen, first + n, [](float a, float b) {
      return std::bit_cast<std::uint32_t>(a) < std::bit_cast<std::uint32_t>(b);
    });
    return *chosen > 0.0F ? *chosen : largest_magnitude(values);
  }

  double percent_;
};

}  // namespace

RangeRuleTable::Row percentile_rule() {
  RowInfo info;
  info.name = "percentile";
  info.help = "clips magnitudes at their p-th percentile (exact order statistic)";
  info.options = {{"p", 99.9, 99.0, "percent of the values whose magnitude is kept, above 0 and at most 100"}};
  info.neutral = {"minmax", {{"p", 100.0}}, {}, ""};
  return {info, [](const Options& options) {
            const double percent = options.number("p");
            options.require(percent > 0.0 && percent <= 100.0, "p", "must be above 0 and at most 100");
            return std::make_unique<Percentile>(percent);
          }};
}

}  // namespace anybit
