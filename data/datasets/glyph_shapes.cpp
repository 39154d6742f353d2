#include "data/datasets/glyph_shapes.h"

#include <array>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <string>

#include "nn/arithmetic.h"

namespace anybit {
namespace {

// clang-format off
constexpr std::array<std::string_view, kGlyphClasses> kPaths = {
    "A 35 50 29 50 270 630 | M 25 64 L 45 36",                                           // 0
    "M 16 22 L 38 0 L 38 100 | M 16 100 L 60 100",                                       // 1
    "A 35 28 28 28 190 380 Q 52 62 5 100 L 66 100",                                      // 2
    "A 32 25 27 25 200 450 A 32 75 32 25 270 520",                                       // 3
    "M 50 100 L 50 0 L 3 68 L 68 68",                                                    // 4
    "M 60 0 L 14 0 L 10 45 A 32 68 32 32 225 510",                                       // 5
    "M 56 2 Q 8 20 6 68 A 35 68 29 32 180 540",                                          // 6
    "M 4 0 L 64 0 Q 34 44 26 100",                                                       // 7
    "A 34 24 24 24 90 450 | A 34 74 30 26 270 630",                                      // 8
    "A 36 30 28 30 0 360 Q 64 80 34 100",                                                // 9
    "M 0 100 L 35 0 L 70 100 | M 12 66 L 58 66",                                         // A
    "M 6 0 L 6 100 | M 6 0 L 34 0 A 34 24 24 24 270 450 L 6 48 | M 34 48 A 34 74 30 26 270 450 L 6 100",  // B
    "A 38 50 36 50 315 45",                                                              // C
    "M 6 0 L 6 100 | M 6 0 L 26 0 A 26 50 40 50 270 450 L 6 100",                        // D
    "M 62 0 L 6 0 L 6 100 L 64 100 | M 6 48 L 52 48",                                    // E
    "M 64 0 L 6 0 L 6 100 | M 6 48 L 52 48",                                             // F
    "A 38 50 36 50 315 30 L 69 54 L 42 54",                                              // G
    "M 4 0 L 4 100 | M 66 0 L 66 100 | M 4 50 L 66 50",                                  // H
    "M 35 0 L 35 100 | M 14 0 L 56 0 | M 14 100 L 56 100",                               // I
    "M 30 0 L 68 0 | M 52 0 L 52 72 A 28 72 24 28 0 170",                                // J
    "M 6 0 L 6 100 | M 62 0 L 6 58 | M 24 42 L 66 100",                                  // K
    "M 8 0 L 8 100 L 62 100",                                                            // L
    "M 0 100 L 4 0 L 35 66 L 66 0 L 70 100",                                             // M
    "M 4 100 L 4 0 L 66 100 L 66 0",                                                     // N
    "A 35 50 37 50 270 630",                                                             // O
    "M 6 100 L 6 0 L 36 0 A 36 27 28 27 270 450 L 6 54",                                 // P
    "A 35 50 37 50 270 630 | M 42 70 L 74 108",                                          // Q
    "M 6 100 L 6 0 L 36 0 A 36 27 28 27 270 450 L 6 54 | M 34 54 L 66 100",              // R
    "A 35 25 28 25 330 90 A 35 75 30 25 270 510",                                        // S
    "M 0 0 L 70 0 | M 35 0 L 35 100",                                                    // T
    "M 5 0 L 5 66 A 35 66 30 34 180 0 L 65 0",                                           // U
    "M 2 0 L 35 100 L 68 0",                                                             // V
    "M 0 0 L 16 100 L 35 30 L 54 100 L 70 0",                                            // W
    "M 4 0 L 66 100 | M 66 0 L 4 100",                                                   // X
    "M 2 0 L 35 48 L 68 0 | M 35 48 L 35 100",                                           // Y
    "M 6 0 L 64 0 L 4 100 L 66 100 | M 18 50 L 52 50",                                   // Z
    "A 34 71 22 29 0 360 | M 56 44 L 56 88 Q 56 100 66 100",                             // a
    "M 12 0 L 12 100 | A 35 72 23 28 180 540",                                           // b
    "A 36 71 24 29 315 45",                                                              // c
    "M 58 0 L 58 100 | A 35 72 23 28 0 360",                                             // d
    "M 13 71 L 59 71 A 36 71 23 29 0 -315",                                              // e
    "M 60 8 Q 32 -8 32 26 L 32 100 | M 12 44 L 56 44",                                   // f
    "A 34 70 22 28 0 360 | M 56 44 L 56 108 A 34 108 22 20 0 160",                       // g
    "M 12 0 L 12 100 | M 12 64 A 34 64 22 22 180 360 L 56 100",                          // h
    "M 35 44 L 35 100 | A 35 20 3 3 0 360",                                              // i
    "M 42 44 L 42 108 A 24 108 18 20 0 150 | A 42 20 3 3 0 360",                         // j
    "M 12 0 L 12 100 | M 54 44 L 12 78 | M 26 68 L 58 100",                              // k
    "M 28 0 L 28 82 Q 28 100 52 98",                                                     // l
    "M 4 44 L 4 100 | M 4 60 A 19 60 15 16 180 360 L 34 100 | M 34 60 A 50 60 16 16 180 360 L 66 100",  // m
    "M 12 44 L 12 100 | M 12 64 A 34 64 22 20 180 360 L 56 100",                         // n
    "A 35 71 25 29 270 630",                                                             // o
    "M 12 44 L 12 128 | A 35 72 23 28 180 540",                                          // p
    "M 58 44 L 58 128 L 68 118 | A 35 72 23 28 0 360",                                   // q
    "M 18 44 L 18 100 | M 18 68 Q 22 44 54 46",                                          // r
    "A 35 57 20 15 330 90 A 35 86 22 14 270 510",                                        // s
    "M 32 10 L 32 84 A 46 84 14 16 180 60 | M 12 42 L 56 42",                            // t
    "M 12 44 L 12 78 A 33 78 21 22 180 0 | M 54 44 L 54 88 Q 54 100 64 100",             // u
    "M 10 44 L 35 100 L 60 44",                                                          // v
    "M 2 44 L 18 100 L 35 58 L 52 100 L 68 44",                                          // w
    "M 12 44 L 58 100 | M 58 44 L 12 100",                                               // x
    "M 10 44 L 36 92 | M 62 44 L 20 128",                                                // y
    "M 12 44 L 56 44 L 10 100 L 60 100",                                                 // z
};
// clang-format on

constexpr float kPiece = 16;  // longest piece of a line, in the units of the shapes
constexpr int kCurvePieces = 6;
constexpr double kArcPiece = 22.5;  // degrees

using Stroke = std::vector<Point>;

void line_to(Stroke& stroke, Point end) {
  if (stroke.empty()) {
    stroke.push_back(end);
    return;
  }
  const Point begin = stroke.back();
  const float length = std::sqrt((end.x - begin.x) * (end.x - begin.x) + (end.y - begin.y) * (end.y - begin.y));
  const int pieces = static_cast<int>(std::ceil(length / kPiece));
  for (int i = 1; i <= pieces; ++i) {
    const float t = static_cast<float>(i) / static_cast<float>(pieces);
    stroke.push_back({begin.x + t * (end.x - begin.x), begin.y + t * (end.y - begin.y)});
  }
}

void curve_to(Stroke& stroke, Point control, Point end) {
  const Point begin = stroke.back();
  for (int i = 1; i <= kCurvePieces; ++i) {
    const float t = static_cast<float>(i) / kCurvePieces;
    const float a = (1 - t) * (1 - t), b = 2 * t * (1 - t), c = t * t;
    stroke.push_back({a * begin.x + b * control.x + c * end.x, a * begin.y + b * control.y + c * end.y});
  }
}

void arc(Stroke& stroke, Point centre, Point radius, double from, double to) {
  const auto on_ellipse = [&](double degrees) {
    return Point{centre.x + radius.x * static_cast<float>(fixed_cos2pi(degrees / 360)),
                 centre.y + radius.y * static_cast<float>(fixed_sin2pi(degrees / 360))};
  };
  line_to(stroke, on_ellipse(from));
  const int pieces = static_cast<int>(std::ceil(std::abs(to - from) / kArcPiece));
  for (int i = 1; i <= pieces; ++i) stroke.push_back(on_ellipse(from + (to - from) * i / pieces));
}

}  // namespace

GlyphShape parse_glyph(std::string_view path) {
  GlyphShape shape;
  std::istringstream words{std::string(path)};
  Stroke stroke;
  const auto number = [&] {
    float value = 0;
    if (!(words >> value)) throw std::logic_error("a glyph's path lacks a number: " + std::string(path));
    return value;
  };
  const auto point = [&] {
    const float x = number();
    return Point{x, number()};
  };
  char command = 0;
  while (words >> command) {
    if (command == 'M' || command == 'L') {
      line_to(stroke, point());
    } else if (command == 'Q') {
      const Point control = point();
      curve_to(stroke, control, point());
    } else if (command == 'A') {
      const Point centre = point(), radius = point();
      const double from = number();
      arc(stroke, centre, radius, from, number());
    } else if (command == '|') {
      shape.strokes.push_back(std::move(stroke));
      stroke.clear();
    } else {
      throw std::logic_error("a glyph's path has an unknown command: " + std::string(path));
    }
  }
  shape.strokes.push_back(std::move(stroke));
  return shape;
}

const GlyphShape& glyph_shape(int label) {
  static const std::vector<GlyphShape> shapes = [] {
    std::vector<GlyphShape> all;
    for (const std::string_view path : kPaths) all.push_back(parse_glyph(path));
    return all;
  }();
  return shapes[static_cast<std::size_t>(label)];
}

}  // namespace anybit
