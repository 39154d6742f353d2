#pragma once

#include <array>
#include <cstddef>
#include <span>

#include "data/datasets/glyph_shapes.h"

namespace anybit {

/// A grey picture of 28 x 28 pixels on which strokes are laid: it keeps each pixel's squared distance to the nearest
/// stroke. Pixel (x, y) has its centre at (x, y). Only + - x / and min: the same bits everywhere.
class Canvas {
 public:
  static constexpr int kSide = 28;

  /// `reach`: how far from a stroke anything can turn grey, in pixels.
  explicit Canvas(float reach);

  void stroke(Point from, Point to);
  static constexpr int kRow = 32;  // floats between rows, a multiple of the vector length
  /// The share of each pixel that a round pen of this radius covers, 0 to 1, with an edge one pixel wide: kSide rows of
  /// kRow, of which the last ones are no pixels.
  void coverage(float radius, std::span<float> shares) const;

 private:
  float reach_;
  alignas(64) std::array<float, static_cast<std::size_t>(kSide) * kRow> squared_distance_;
};

}  // namespace anybit
