#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace anybit {

/// A sum of weighted vectors that does not depend on the order of its terms (DESIGN D7): x = weight * value in double,
/// hi = rint(x * 2^20), lo = rint((x - hi * 2^-20) * 2^60), both added as wrapping 64-bit integers. Together they are
/// the sum of rint(x * 2^60), exactly. Range +-2^42, resolution 2^-60. Fewer than 2^24 terms: |lo| of one term is at
/// most 2^39, so 2^24 of them could leave the 64-bit word; hi is bound by refuse().
class ExactSum {
 public:
  explicit ExactSum(std::size_t size);

  /// "" where every weight * value is finite and |.| <= 2^42 / cohort; else the reason. Adds nothing.
  static std::string refuse(std::span<const float> values, double weight, std::uint32_t cohort);
  /// Adds weight * values to elements [offset, offset + values.size()). The values must have passed refuse().
  void add(std::size_t offset, std::span<const float> values, double weight);
  /// Adds another sum of the same size (of another thread or rank).
  void add(const ExactSum& other);
  void clear();
  /// out[i] = sum[offset + i] / denominator, rounded once to double for the sum, then to float for the quotient.
  void close(std::size_t offset, double denominator, std::span<float> out) const;
  std::size_t size() const { return hi_.size(); }

 private:
  std::vector<std::uint64_t> hi_;  // two's complement: unsigned, so that wrapping is defined
  std::vector<std::uint64_t> lo_;
};

/// The same for one number: denominators, losses.
class ExactScalar {
 public:
  /// "" where x is finite and |x| <= 2^42 / cohort; else the reason.
  static std::string refuse(double x, std::uint32_t cohort);
  /// x must have passed refuse().
  void add(double x);
  double value() const;
  void clear() { hi_ = lo_ = 0; }

 private:
  std::uint64_t hi_ = 0;
  std::uint64_t lo_ = 0;
};

}  // namespace anybit
