#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace anybit {

struct Point {
  float x = 0;
  float y = 0;
};

/// One character as its pen moves: strokes[s] is a polyline. x runs from 0 to 70 to the right; y from 0 at the top of a
/// capital through 42 (top of a small letter) and 100 (base line) to 128 (descender).
struct GlyphShape {
  std::vector<std::vector<Point>> strokes;
};

inline constexpr int kGlyphClasses = 62;
inline constexpr std::string_view kGlyphNames = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The shape of a class, 0 to 61, in the order of kGlyphNames.
const GlyphShape& glyph_shape(int label);

/// Reads a path: strokes separated by '|', each a row of
///   M x y                     put the pen down (first in a stroke)
///   L x y                     line
///   Q cx cy x y               quadratic curve
///   A cx cy rx ry from to     arc of an ellipse, degrees, 0 = right, 90 = down; begins a stroke or joins by a line
/// Lines and curves come out in short pieces, so that bending them later bends them smoothly.
GlyphShape parse_glyph(std::string_view path);

}  // namespace anybit
