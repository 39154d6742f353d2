#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

#include "nn/buffer.h"

namespace anybit {

/// The loops of norms over one example's pixels x channels, NHWC. Numbers are taken in strips of `width()` lanes, and a
/// lane always holds the same channel, so a constant per channel is laid out once per lane (spread) and a sum over
/// pixels is one accumulator per lane, folded at the end: the same order of additions on every machine.
///
/// A body is a function template of T, a single float or eight of them side by side, called with the place of its
/// numbers in the plane and their lane.
class Plane {
 public:
  Plane(std::size_t pixels, std::size_t channels)
      : channels_(channels),
        size_(pixels * channels),
        width_(kStrip % channels == 0 ? kStrip : channels),
        strips_(size_ / width_) {}

  std::size_t size() const { return size_; }
  std::size_t width() const { return width_; }

  /// lanes[l] = value_of(channel of lane l); `lanes` has width() elements.
  template <class Value>
  void spread(FloatBuffer& lanes, Value value_of) const {
    for (std::size_t l = 0; l < width_; ++l) lanes[l] = value_of(l % channels_);
  }

  /// Calls body<T>(at, lane) for all numbers.
  template <class Body>
  void each(Body body) const {
    if (width_ % kEight != 0) {
      for (std::size_t at = 0; at < size_; ++at) body.template operator()<float>(at, at % width_);
      return;
    }
    const std::size_t whole = strips_ * width_;
    for (std::size_t at = 0; at < whole; at += width_)
      for (std::size_t lane = 0; lane < width_; lane += kEight) body.template operator()<Eight>(at + lane, lane);
    for (std::size_t at = whole; at < size_; ++at) body.template operator()<float>(at, at - whole);
  }

  /// sums[k][c] = sum over pixels of body<T>(at, lane)[k]. `sums` have width() elements; the first ones, one for each
  /// channel, are the result.
  template <std::size_t kSums, class Body>
  void sum(Body body, const std::array<float*, kSums>& sums) const {
    std::size_t at = 0;
    if (width_ % kStrip == 0) {
      for (std::size_t column = 0; column < width_; column += kStrip) sum_column(body, column, sums);
      at = strips_ * width_;
    } else {
      for (float* const out : sums) std::fill_n(out, width_, 0.0F);
    }
    for (; at < size_; ++at) {
      const std::size_t lane = at % width_;
      const std::array<float, kSums> terms = body.template operator()<float>(at, lane);
      for (std::size_t k = 0; k < kSums; ++k) sums[k][lane] += terms[k];
    }
    for (float* const out : sums)
      for (std::size_t l = channels_; l < width_; ++l) out[l % channels_] += out[l];
  }

  template <class T>
  static T load(const float* from) {
    T value;
    std::memcpy(&value, from, sizeof(T));
    return value;
  }
  template <class T>
  static void store(float* to, const T& value) {
    std::memcpy(to, &value, sizeof(T));
  }

 private:
  using Eight = float __attribute__((vector_size(32)));
  static constexpr std::size_t kEight = 8;
  static constexpr std::size_t kStrip = 32;  // four vectors: two sums, their constants and operands fit into registers

  /// kStrip lanes from `column` over all strips.
  template <std::size_t kSums, class Body>
  void sum_column(Body body, std::size_t column, const std::array<float*, kSums>& sums) const {
    constexpr std::size_t kVectors = kStrip / kEight;
    Eight totals[kSums][kVectors] = {};
    for (std::size_t s = 0; s < strips_; ++s) {
#pragma GCC unroll 4
      for (std::size_t v = 0; v < kVectors; ++v) {
        const std::size_t lane = column + v * kEight;
        const std::array<Eight, kSums> terms = body.template operator()<Eight>(s * width_ + lane, lane);
        for (std::size_t k = 0; k < kSums; ++k) totals[k][v] += terms[k];
      }
    }
    for (std::size_t k = 0; k < kSums; ++k)
      for (std::size_t v = 0; v < kVectors; ++v) store(sums[k] + column + v * kEight, totals[k][v]);
  }

  std::size_t channels_;
  std::size_t size_;
  std::size_t width_;
  std::size_t strips_;  // whole ones
};

}  // namespace anybit
