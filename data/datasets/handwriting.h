#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "data/datasets/glyph_shapes.h"
#include "nn/random.h"

namespace anybit {

/// How hard the characters are made.
struct Difficulty {
  float bend = 0;   // standard deviation of how far strokes are bent, as a fraction of a capital's height
  float noise = 0;  // standard deviation of a pixel, as a fraction of full ink; of a writer whose noise is 1
  float faint = 1;  // how dark the faintest examples are; an example's darkness is uniform between this and 1
  float shade = 0;  // how dark the darkest ground is, as a fraction of full ink; an example's is uniform from 0 to this
};

/// A smooth random displacement of the plane on which shapes are defined: 4 x 4 knots, blended in between.
class Bend {
 public:
  /// Adds a displacement of this standard deviation at each knot.
  void add(Stream& stream, float deviation);
  Point apply(Point at) const;

 private:
  static constexpr int kKnots = 4;
  std::array<Point, kKnots * kKnots> knots_{};
};

/// What a writer does the same way every time, and what one example adds to it.
struct Hand {
  float height = 0;  // of a capital, pixels
  float aspect = 1;  // width factor
  float slant = 0;   // pixels to the right per pixel up
  float turn = 0;    // of the base line, pixels down per pixel to the right
  float radius = 0;  // of the pen, pixels
  float ink = 1;     // darkness, 0 to 1
  float noise = 1;   // factor of the pixels' noise
  Point centre;      // of the picture, pixels
};

/// The hand of a writer.
Hand hand_of(std::uint64_t seed, std::uint32_t writer);

/// Draws one example of a class as 28 x 28 bytes, 0 = no ink: a pure function of its arguments. The stream of the
/// example is (seed, kGlyph, writer, index); the caller may have drawn the label from it before.
void draw_glyph(std::uint64_t seed, std::uint32_t writer, const Hand& hand, int label, const Difficulty& difficulty,
                Stream& example, std::span<std::uint8_t> pixels);

}  // namespace anybit
