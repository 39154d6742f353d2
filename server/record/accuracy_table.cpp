#include "server/record/accuracy_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "scenarios/width.h"
#include "server/grid_points.h"

namespace anybit {
namespace {

/// A row's label. Points at 32-bit weights fit every row of their activation, first and last width whose activations
/// are of the same kind: the method's own, or by ranges.
struct RowKey {
  std::string range;
  std::string granularity;
  int activations = kFloatWidth;
  int first = 0;
  int last = 0;
  bool operator==(const RowKey&) const = default;
};

bool belongs(const GridPoint& point, const RowKey& row) {
  return same_point(point, {point.weights, row.activations, row.range, row.granularity, row.first, row.last, {}});
}

std::vector<RowKey> rows_of(const std::vector<Accuracy>& accuracies) {
  std::vector<RowKey> rows;
  const auto add = [&rows](const GridPoint& point) {
    RowKey row{point.range, point.granularity, point.activations, point.first, point.last};
    if (std::find(rows.begin(), rows.end(), row) == rows.end()) rows.push_back(std::move(row));
  };
  for (const Accuracy& accuracy : accuracies)
    if (accuracy.point.weights != kFloatWidth) add(accuracy.point);
  for (const Accuracy& accuracy : accuracies) {
    const bool shown =
        std::any_of(rows.begin(), rows.end(), [&](const RowKey& row) { return belongs(accuracy.point, row); });
    if (!shown) add(accuracy.point);
  }
  return rows;
}

std::string cell(const std::vector<Accuracy>& accuracies, const RowKey& row, int width) {
  for (const Accuracy& accuracy : accuracies)
    if (accuracy.point.weights == width && belongs(accuracy.point, row))
      return fmt::format("{:>8.2f}", 100 * accuracy.value);
  return fmt::format("{:>8}", "-");
}

std::string end_text(int width) { return width == 0 ? "-" : std::to_string(width); }

}  // namespace

std::string accuracy_table(const std::vector<Accuracy>& accuracies) {
  std::set<int, std::greater<>> widths;
  for (const Accuracy& accuracy : accuracies) widths.insert(accuracy.point.weights);
  const std::vector<RowKey> rows = rows_of(accuracies);
  const bool ends = std::any_of(rows.begin(), rows.end(), [](const RowKey& row) { return row.first + row.last > 0; });
  std::string text = fmt::format("{:<12}{:<12}{:<12}", "range", "granularity", "activations");
  if (ends) text += fmt::format("{:<6}{:<6}", "first", "last");
  for (const int width : widths) text += fmt::format("{:>8}", fmt::format("W{}", width));
  text += '\n';
  for (const RowKey& row : rows) {
    text += fmt::format("{:<12}{:<12}{:<12}", row.range, row.granularity, row.activations);
    if (ends) text += fmt::format("{:<6}{:<6}", end_text(row.first), end_text(row.last));
    for (const int width : widths) text += cell(accuracies, row, width);
    text += '\n';
  }
  return text;
}

std::vector<Accuracy> merge_accuracies(std::vector<Accuracy> first, const std::vector<Accuracy>& second) {
  for (const Accuracy& accuracy : second) {
    const bool known = std::any_of(first.begin(), first.end(),
                                   [&](const Accuracy& other) { return same_point(other.point, accuracy.point); });
    if (!known) first.push_back(accuracy);
  }
  return first;
}

}  // namespace anybit
