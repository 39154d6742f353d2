#pragma once

#include <span>
#include <vector>

namespace anybit {

/// A sorted table of levels L[0] < L[1] < ... The one equation of the grid, with thresholds T[j] half-way between
/// neighbours: code = #{ j : x > T[j] }, value = L[code]; a tie goes to the lower level (specs B P3).
class LevelsGrid {
 public:
  /// Throws std::invalid_argument unless there are at least two finite levels in ascending order.
  explicit LevelsGrid(std::vector<float> levels);

  int encode(float x) const;
  float decode(int code) const { return levels_[static_cast<std::size_t>(code)]; }

  std::span<const float> levels() const { return levels_; }
  bool has_zero() const;
  /// All neighbours are the same float distance apart.
  bool uniform() const;
  /// Dropping the lowest bit of a code names no other table's level: a table is nested with nothing by itself.
  bool nested() const { return false; }

 private:
  std::vector<float> levels_;
  std::vector<float> thresholds_;
};

}  // namespace anybit
