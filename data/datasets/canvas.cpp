#include "data/datasets/canvas.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace anybit {
namespace {

constexpr int kLanes = 8;
/// Written as vectors: the compiler takes the loop over lanes apart into single numbers.
using Eight = float __attribute__((vector_size(kLanes * sizeof(float))));
constexpr Eight kCounting = {0, 1, 2, 3, 4, 5, 6, 7};

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
      const Eight px = kCounting + (static_cast<float>(block * kLanes)) - from.x;
      Eight along = (px * dx + py * dy) * inverse;
      along = along < 0.0F ? Eight{} : along;
      along = along > 1.0F ? Eight{} + 1.0F : along;
      const Eight ex = px - along * dx, ey = py - along * dy;
      const Eight distance = ex * ex + ey * ey;
      Eight before;
      std::memcpy(&before, out, sizeof(before));
      const Eight nearest = distance < before ? distance : before;
      std::memcpy(out, &nearest, sizeof(nearest));
    }
  }
}

void Canvas::coverage(float radius, std::span<float> shares) const {
  for (std::size_t i = 0; i < squared_distance_.size(); ++i) {
    float share = radius + 0.5F - std::sqrt(squared_distance_[i]);
    share = share < 0 ? 0 : share;
    shares[i] = share > 1 ? 1 : share;
  }
}

}  // namespace anybit
