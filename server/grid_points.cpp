#include "server/grid_points.h"

#include <algorithm>

namespace anybit {

std::vector<GridPoint> grid_points(const EvaluationGrid& grid) {
  std::vector<GridPoint> points;
  const auto append = [&](GridPoint point) {
    if (is_trained(point)) point.granularity = kTrainedRange;
    if (std::ranges::none_of(points, [&](const GridPoint& known) { return same_point(known, point); }))
      points.push_back(std::move(point));
  };
  for (const int weights : grid.weights)
    for (const int activations : grid.activations)
      for (const std::string& range : grid.range)
        for (const std::string& granularity : grid.granularity)
          append({weights, activations, range, granularity, grid.first, grid.last, {}});
  return points;
}

bool same_point(const GridPoint& a, const GridPoint& b) {
  if (a.weights != b.weights || a.activations != b.activations || a.first != b.first || a.last != b.last) return false;
  if (is_float(a)) return true;
  if (a.weights == kFloatWidth) return is_trained(a) == is_trained(b);
  return a.range == b.range && a.granularity == b.granularity;
}

bool needs_ranges(const GridPoint& point) { return point.activations != kFloatWidth && !is_trained(point); }

std::string point_mismatch(const NetworkPlan& trained, const GridPoint& point) {
  if (is_trained(point)) return trained_mismatch(trained.method, trained.network, trained.layout, point);
  return learned_mismatch(*trained.layout, *trained.network, point);
}

}  // namespace anybit
