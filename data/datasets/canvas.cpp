#include "data/datasets/canvas.h"

#include <algorithm>
#include <cmath>

namespace anybit {
namespace {

constexpr int kLanes = 8;

int clamped_pixel(float at, int low, int high) { return static_cast<int>(std::clamp<float>(at, low, high)); }

}  // namespace

Canvas::Canvas(float reach) : reach_(reach) { squared_distance_.fill((reach + 1) * (reach + 1)); }

void Canvas::stroke(Point from, Point to) {
  const float dx = to.x - from.x, dy = to.y - from.y;
  const float length = dx * dx + dy * dy;
  const float inverse = length > 0 ? 1 / length : 0;
  const int top = clamped_pixel(std::min(from.y, to.y) - reach_, 0, kSide);
  const int bottom = clamped_pixel(std::max(from.y, to.y) + reach_ + 1, 0, kSide);
  const int left = clamped_pixel(std::min(from.x, to.x) - reach_, 0, kSide) / kLanes;
  const int right = (clamped_pixel(std::max(from.x, to.x) + reach_ + 1, 0, kSide) + kLanes - 1) / kLanes;
  for (int y = top; y < bottom; ++y) {
    const float py = static_cast<float>(y) - from.y;
    for (int block = left; block < right; ++block) {
      float* out = squared_distance_.data() + y * kRow + block * kLanes;
      for (int lane = 0; lane < kLanes; ++lane) {
        const float px = static_cast<float>(block * kLanes + lane) - from.x;
        float along = (px * dx + py * dy) * inverse;
        along = along < 0 ? 0 : along;
        along = along > 1 ? 1 : along;
        const float ex = px - along * dx, ey = py - along * dy;
        const float distance = ex * ex + ey * ey;
        out[lane] = distance < out[lane] ? distance : out[lane];
      }
    }
  }
}

float Canvas::coverage(int x, int y, float radius) const {
  const float distance = std::sqrt(squared_distance_[static_cast<std::size_t>(y * kRow + x)]);
  return std::clamp(radius + 0.5F - distance, 0.0F, 1.0F);
}

}  // namespace anybit
