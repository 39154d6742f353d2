#include <algorithm>
#include <cmath>

#include "nn/arithmetic.h"
#include "server/weightings/weighting.h"

namespace anybit {
namespace {

constexpr int kMostBits = 16;  // what float counts as

/// Means over the widths that a device can run, each as likely as another.
template <class Term>
double mean_of(std::span<const int> widths, const Term& term) {
  if (widths.empty()) return term(kMostBits);
  double sum = 0;
  for (const int width : widths) sum += term(std::min(width, kMostBits));
  return sum / static_cast<double>(widths.size());
}

class ByWidth final : public Weighting {
 public:
  explicit ByWidth(double power) : power_(power) {}

  double weight(std::uint32_t examples, std::span<const int> widths) const override {
    const double share = mean_of(widths, [](int bits) { return static_cast<double>(bits); }) / kMostBits;
    return examples * (power_ == 1 ? share : fixed_exp(power_ * fixed_log(share)));
  }

 private:
  double power_;
};

/// The squared error of rounding to b bits, symmetric and narrow, is (range / (2^b - 2))^2 / 12.
double error_of(int bits) {
  const double steps = std::ldexp(1.0, bits) - 2;
  return 1 / (steps * steps);
}

class ByInverseError final : public Weighting {
 public:
  explicit ByInverseError(double floor) : floor_(floor) {}

  double weight(std::uint32_t examples, std::span<const int> widths) const override {
    return examples / (mean_of(widths, error_of) + floor_);
  }

 private:
  double floor_;
};

}  // namespace

WeightingTable::Row width_weighting_row() {
  RowInfo info{.name = "width",
               .help = "by examples times (mean width of the device / 16)^power: who trains in few bits counts less",
               .paper = "our own, the plainest that knows widths",
               .options = {{"power", 1.0, 3.0, "how much the width matters, 0 to 8; 0: not at all"}},
               .neutral = {"examples", {{"power", 0.0}}, {}, ""}};
  return {std::move(info), [](const Options& options) {
            const double power = options.non_negative("power");
            options.require(power <= 8, "power", "must be 0 to 8");
            return std::make_unique<const ByWidth>(power);
          }};
}

WeightingTable::Row inverse_error_weighting_row() {
  RowInfo info{.name = "inverse_error",
               .help = "by examples over (squared rounding error at the device's widths + floor)",
               .paper =
                   "after clipped uniform quantization for federated learning, arXiv 2405.13365 (2024), which "
                   "weighs by the inverse error alone; examples and floor are ours",
               .options = {{"floor", 0.01, 1.0, "added to the error, so that many bits do not drown the others"}},
               .neutral = {"", {}, {}, "widths that differ count differently"}};
  return {std::move(info), [](const Options& options) {
            const double floor = options.non_negative("floor");
            options.require(floor >= 1e-9 && floor <= 1e9, "floor", "must be 1e-9 to 1e9");
            return std::make_unique<const ByInverseError>(floor);
          }};
}

}  // namespace anybit
