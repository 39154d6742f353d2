#include "data/datasets/canvas.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace anybit {
namespace {

float coverage(const Canvas& canvas, int x, int y, float radius) {
  std::array<float, Canvas::kSide * Canvas::kRow> shares;
  canvas.coverage(radius, shares);
  return shares[static_cast<std::size_t>(y * Canvas::kRow + x)];
}

TEST(Canvas, CoverageFallsOffOverOnePixel) {
  Canvas canvas(2.5F);
  canvas.stroke({10, 10}, {20, 10});
  EXPECT_FLOAT_EQ(coverage(canvas, 15, 10, 1.0F), 1.0F);
  EXPECT_FLOAT_EQ(coverage(canvas, 15, 11, 1.0F), 0.5F);
  EXPECT_FLOAT_EQ(coverage(canvas, 15, 12, 1.0F), 0.0F);
  EXPECT_FLOAT_EQ(coverage(canvas, 21, 10, 1.0F), 0.5F);  // round ends
  EXPECT_FLOAT_EQ(coverage(canvas, 15, 12, 1.75F), 0.25F);
}

/// The reference: every pixel against the stroke, in double.
double distance(double x, double y, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, length = dx * dx + dy * dy;
  const double t = length > 0 ? std::clamp(((x - a.x) * dx + (y - a.y) * dy) / length, 0.0, 1.0) : 0.0;
  return std::hypot(x - a.x - t * dx, y - a.y - t * dy);
}

TEST(Canvas, EqualsDistancesToEveryPixelWherePenCanReach) {
  const Point from = {-3.2F, 25.7F}, to = {13.9F, 4.1F}, dot = {26.5F, 26.5F};
  Canvas canvas(2.0F);
  canvas.stroke(from, to);
  canvas.stroke(dot, dot);
  for (int y = 0; y < Canvas::kSide; ++y) {
    for (int x = 0; x < Canvas::kSide; ++x) {
      const double nearest = std::min(distance(x, y, from, to), distance(x, y, dot, dot));
      EXPECT_NEAR(coverage(canvas, x, y, 1.5F), std::clamp(2.0 - nearest, 0.0, 1.0), 1e-4) << x << " " << y;
    }
  }
}

TEST(Canvas, StrokesOutsideThePictureLeaveItWhite) {
  Canvas canvas(2.0F);
  canvas.stroke({-50, -50}, {-40, -60});
  canvas.stroke({200, 3}, {300, 5});
  for (int y = 0; y < Canvas::kSide; ++y)
    for (int x = 0; x < Canvas::kSide; ++x) EXPECT_EQ(coverage(canvas, x, y, 1.5F), 0.0F);
}

}  // namespace
}  // namespace anybit
