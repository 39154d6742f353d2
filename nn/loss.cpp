#include "nn/loss.h"

#include <array>
#include <cassert>
#include <limits>

#include "nn/arithmetic.h"

namespace anybit {
namespace {

// A row is reduced in kLanes partial results, element i in lane i % kLanes, which are then joined in order: an order
// that is fixed and that vector registers can follow.
constexpr std::size_t kLanes = 8;

float row_maximum(const float* row, std::size_t classes) {
  std::array<float, kLanes> lanes;
  lanes.fill(-std::numeric_limits<float>::infinity());
  const std::size_t whole = classes - classes % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) lanes[l] = row[i + l] > lanes[l] ? row[i + l] : lanes[l];
  for (std::size_t i = whole; i < classes; ++i)
    lanes[i - whole] = row[i] > lanes[i - whole] ? row[i] : lanes[i - whole];
  float maximum = lanes[0];
  for (std::size_t l = 1; l < kLanes; ++l) maximum = lanes[l] > maximum ? lanes[l] : maximum;
  return maximum;
}

float row_sum(const float* row, std::size_t classes) {
  std::array<float, kLanes> lanes{};
  const std::size_t whole = classes - classes % kLanes;
  for (std::size_t i = 0; i < whole; i += kLanes)
    for (std::size_t l = 0; l < kLanes; ++l) lanes[l] += row[i + l];
  for (std::size_t i = whole; i < classes; ++i) lanes[i - whole] += row[i];
  float sum = 0.0F;
  for (std::size_t l = 0; l < kLanes; ++l) sum += lanes[l];
  return sum;
}

bool is_correct(const float* row, std::size_t classes, std::size_t label) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < classes; ++i)
    if (row[i] > row[best]) best = i;
  return best == label;
}

}  // namespace

Score CrossEntropy::apply(std::span<const float> outputs, std::span<const std::uint8_t> labels, int classes,
                          std::span<float> gradient) const {
  const auto width = static_cast<std::size_t>(classes);
  assert(outputs.size() == labels.size() * width && gradient.size() == outputs.size());
  if (labels.empty()) return {};
  const auto rows = static_cast<double>(labels.size());
  Score score;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const float* x = outputs.data() + row * width;
    float* g = gradient.data() + row * width;
    const std::size_t label = labels[row];
    assert(label < width);
    const float maximum = row_maximum(x, width);
    for (std::size_t i = 0; i < width; ++i) g[i] = fixed_exp(x[i] - maximum);
    const float sum = row_sum(g, width);
    score.loss += fixed_log(static_cast<double>(sum)) - (static_cast<double>(x[label]) - maximum);
    score.correct += is_correct(x, width, label) ? 1 : 0;
    const auto scale = static_cast<float>(1.0 / (static_cast<double>(sum) * rows));
    for (std::size_t i = 0; i < width; ++i) g[i] *= scale;
    g[label] -= static_cast<float>(1.0 / rows);
  }
  score.loss /= rows;
  return score;
}

int count_correct(std::span<const float> outputs, std::span<const std::uint8_t> labels, int classes) {
  const auto width = static_cast<std::size_t>(classes);
  assert(outputs.size() == labels.size() * width);
  int correct = 0;
  for (std::size_t row = 0; row < labels.size(); ++row)
    correct += is_correct(outputs.data() + row * width, width, labels[row]) ? 1 : 0;
  return correct;
}

}  // namespace anybit
