#include "quant/penalties/kure.h"

#include <cmath>

namespace anybit {
namespace {

constexpr std::size_t kLanes = 8;
constexpr double kSteepKurtosis = 20.0;

double sum_of(const double (&lanes)[kLanes]) {
  double total = 0;
  for (const double lane : lanes) total += lane;
  return total;
}

double mean_of(std::span<const float> values) {
  double lanes[kLanes] = {};
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) lanes[lane] += static_cast<double>(values[i + lane]);
  for (std::size_t lane = 0; i < values.size(); ++i, ++lane) lanes[lane] += static_cast<double>(values[i]);
  return sum_of(lanes) / static_cast<double>(values.size());
}

}  // namespace

Moments moments_of(std::span<const float> values) {
  Moments m;
  if (values.empty()) return m;
  m.mean = mean_of(values);
  const double mean = m.mean;
  double second[kLanes] = {}, third[kLanes] = {}, fourth[kLanes] = {}, sixth[kLanes] = {};
  const auto add = [&](std::size_t lane, float value) {
    const double x = static_cast<double>(value) - mean;
    const double square = x * x;
    const double cube = square * x;
    second[lane] += square;
    third[lane] += cube;
    fourth[lane] += square * square;
    sixth[lane] += cube * cube;
  };
  std::size_t i = 0;
  for (; i + kLanes <= values.size(); i += kLanes)
    for (std::size_t lane = 0; lane < kLanes; ++lane) add(lane, values[i + lane]);
  for (std::size_t lane = 0; i < values.size(); ++i, ++lane) add(lane, values[i]);
  const auto n = static_cast<double>(values.size());
  const double variance = sum_of(second) / n;
  m.sigma = std::sqrt(variance);
  if (m.sigma <= 0.0) return m;
  m.third = sum_of(third) / n / (variance * m.sigma);
  m.fourth = sum_of(fourth) / n / (variance * variance);
  m.sixth = sum_of(sixth) / n / (variance * variance * variance);
  return m;
}

double Kure::add_layer(std::span<const float> values, double weight, std::span<float> gradient) const {
  const Moments m = moments_of(values);
  if (m.sigma < 1e-12) return 0.0;
  const auto n = static_cast<double>(values.size());
  const double ratio = settings_.sample_std ? (n - 1.0) / n * ((n - 1.0) / n) : 1.0;
  const double excess = ratio * m.fourth - settings_.target;
  if (gradient.empty()) return excess * excess;

  double factor = 2.0 * excess * ratio * 4.0 / (n * m.sigma);
  if (m.fourth > kSteepKurtosis) {
    // Norm of (z^3 - mean z^3 - Kurt z) over the tensor, from the moments alone.
    const double length = std::fabs(factor) * std::sqrt(n * (m.sixth - m.third * m.third - m.fourth * m.fourth));
    if (length > 1.0) factor /= length;
  }
  factor *= weight;
  const double mean = m.mean, inverse = 1.0 / m.sigma, third = m.third, fourth = m.fourth;
  const float* w = values.data();
  float* g = gradient.data();
#pragma GCC ivdep
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double z = (static_cast<double>(w[i]) - mean) * inverse;
    g[i] += static_cast<float>(factor * (z * z * z - third - fourth * z));
  }
  return excess * excess;
}

double Kure::add(const Network& network, std::span<const float> parameters, std::span<float> gradients) const {
  const auto& layers = network.weighted_layers();
  const std::size_t skipped = settings_.inner_only ? 1 : 0;
  if (layers.size() <= 2 * skipped) return 0.0;
  const double weight = settings_.lambda / static_cast<double>(layers.size() - 2 * skipped);
  // The network's tensors open the buffer without gaps, so their offsets are running sums.
  std::size_t offset = 0;
  std::size_t layer = 0;
  double sum = 0;
  for (std::size_t t = 0; t < network.tensors().size() && layer < layers.size(); ++t) {
    std::size_t size = 1;
    for (const int extent : network.tensors()[t].shape) size *= static_cast<std::size_t>(extent);
    if (static_cast<std::size_t>(layers[layer].weight) == t) {
      if (layer >= skipped && layer + skipped < layers.size())
        sum += add_layer(parameters.subspan(offset, size), weight,
                         gradients.empty() ? gradients : gradients.subspan(offset, size));
      ++layer;
    }
    offset += size;
  }
  return weight * sum;
}

}  // namespace anybit
