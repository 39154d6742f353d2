#include "nn/optimizers/groups.h"

#include <array>
#include <cmath>

namespace anybit {

double gradient_norm(const Layout& layout, std::span<const float> gradients) {
  // Element i of a run adds to sum i % kLanes: an order that is fixed and that vector registers can follow.
  constexpr std::size_t kLanes = 16;
  std::array<double, kLanes> sums{};
  for_each_run(layout, [&](const TensorRun& run) {
    const float* g = gradients.data() + run.offset;
    const std::size_t whole = run.size - run.size % kLanes;
    for (std::size_t i = 0; i < whole; i += kLanes)
      for (std::size_t l = 0; l < kLanes; ++l) sums[l] += static_cast<double>(g[i + l]) * g[i + l];
    for (std::size_t i = whole; i < run.size; ++i) sums[i - whole] += static_cast<double>(g[i]) * g[i];
  });
  double total = 0.0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

float clip_scale(const Layout& layout, std::span<const float> gradients, double limit) {
  if (limit == 0.0) return 1.0F;
  const double scale = limit / (gradient_norm(layout, gradients) + 1e-6);
  return scale < 1.0 ? static_cast<float>(scale) : 1.0F;
}

}  // namespace anybit
