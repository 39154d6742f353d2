#include "server/exact_sum.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

namespace anybit {
namespace {

__extension__ using Wide = __int128;

constexpr double kRange = 0x1p42;
constexpr double kHighUnits = 0x1p20;
constexpr double kHighUnit = 0x1p-20;
constexpr double kLowUnits = 0x1p60;
constexpr double kLowUnit = 0x1p-60;

// v + kSumMagic rounds |v| < 2^51 half-even to a whole number that then stands in the lower mantissa bits: rint and the
// conversion to an integer in one addition, which AVX2 has no instruction for.
constexpr double kSumMagic = 0x1.8p52;
constexpr std::uint64_t kMagicBits = std::bit_cast<std::uint64_t>(kSumMagic);
constexpr double kFastLimit = 0x1p30;  // |x| below it: hi fits the trick
constexpr std::size_t kBlock = 1024;   // stays in the first-level cache between its two passes

std::uint64_t to_wrapping(double whole) { return static_cast<std::uint64_t>(static_cast<std::int64_t>(whole)); }

/// Bits of the largest magnitude; infinities and NaN order above every finite number.
std::uint32_t largest_magnitude(std::span<const float> values) {
  std::uint32_t largest = 0;
  for (const float value : values) largest = std::max(largest, std::bit_cast<std::uint32_t>(value) & 0x7fffffffU);
  return largest;
}

void add_small(const float* values, std::size_t size, double weight, std::uint64_t* hi, std::uint64_t* lo) {
  for (std::size_t i = 0; i < size; ++i) {
    const double x = weight * static_cast<double>(values[i]);
    const double high = x * kHighUnits + kSumMagic;
    const double low = (x - (high - kSumMagic) * kHighUnit) * kLowUnits + kSumMagic;
    hi[i] += std::bit_cast<std::uint64_t>(high) - kMagicBits;
    lo[i] += std::bit_cast<std::uint64_t>(low) - kMagicBits;
  }
}

void add_one(double x, std::uint64_t& hi, std::uint64_t& lo) {
  const double high = std::rint(x * kHighUnits);
  hi += to_wrapping(high);
  lo += to_wrapping(std::rint((x - high * kHighUnit) * kLowUnits));
}

double total(std::uint64_t hi, std::uint64_t lo) {
  const Wide units = static_cast<Wide>(static_cast<std::int64_t>(hi)) * (Wide{1} << 40) + static_cast<std::int64_t>(lo);
  // Most sums fit one word, which converts several times faster; both conversions round once.
  const auto word = static_cast<std::int64_t>(units);
  return (units == word ? static_cast<double>(word) : static_cast<double>(units)) * kLowUnit;
}

}  // namespace

ExactSum::ExactSum(std::size_t size) : hi_(size, 0), lo_(size, 0) {}

std::string ExactSum::refuse(std::span<const float> values, double weight, std::uint32_t cohort) {
  const std::uint32_t largest = largest_magnitude(values);
  if (largest >= 0x7f800000U) return "a value is not finite";
  // Rounding is monotone, so the largest value decides for all.
  return ExactScalar::refuse(weight * static_cast<double>(std::bit_cast<float>(largest)), cohort);
}

void ExactSum::add(std::size_t offset, std::span<const float> values, double weight) {
  assert(offset + values.size() <= size());
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    const std::span<const float> block = values.subspan(begin, std::min(kBlock, values.size() - begin));
    std::uint64_t* hi = hi_.data() + offset + begin;
    std::uint64_t* lo = lo_.data() + offset + begin;
    const double largest = static_cast<double>(std::bit_cast<float>(largest_magnitude(block)));
    if (std::abs(weight) * largest < kFastLimit) {
      add_small(block.data(), block.size(), weight, hi, lo);
    } else {
      for (std::size_t i = 0; i < block.size(); ++i) add_one(weight * static_cast<double>(block[i]), hi[i], lo[i]);
    }
  }
}

void ExactSum::add(const ExactSum& other) {
  assert(other.size() == size());
  for (std::size_t i = 0; i < size(); ++i) hi_[i] += other.hi_[i];
  for (std::size_t i = 0; i < size(); ++i) lo_[i] += other.lo_[i];
}

void ExactSum::clear() {
  std::fill(hi_.begin(), hi_.end(), 0);
  std::fill(lo_.begin(), lo_.end(), 0);
}

void ExactSum::close(std::size_t offset, double denominator, std::span<float> out) const {
  assert(offset + out.size() <= size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<float>(total(hi_[offset + i], lo_[offset + i]) / denominator);
}

std::string ExactScalar::refuse(double x, std::uint32_t cohort) {
  if (!std::isfinite(x)) return "a value is not finite";
  if (std::abs(x) > kRange / static_cast<double>(cohort)) return "a weighted value is out of range";
  return "";
}

void ExactScalar::add(double x) { add_one(x, hi_, lo_); }

double ExactScalar::value() const { return total(hi_, lo_); }

}  // namespace anybit
