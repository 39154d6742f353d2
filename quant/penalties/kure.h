#pragma once

#include <span>

#include "quant/method.h"

namespace anybit {

/// Moments of a tensor, population sigma, in double and in a fixed order of additions. z = (w - mean) / sigma.
struct Moments {
  double mean = 0;
  double sigma = 0;
  double third = 0;   // mean z^3
  double fourth = 0;  // mean z^4: the kurtosis
  double sixth = 0;   // mean z^6
};
Moments moments_of(std::span<const float> values);

/// KURE: lambda / n_L * sum over layers of (Kurt(w_l) - target)^2 (Shkolnik et al., NeurIPS 2020; specs A 2), with
///   dKurt/dw_i = 4 / (n sigma) (z_i^3 - mean z^3 - Kurt z_i).
/// Layers whose sigma is below 1e-12 are left out of the sum. Where Kurt > 20 the layer's gradient, before lambda /
/// n_L, is scaled down to norm 1 if it is longer (our decision, specs A 1.6: early in training it would throw weights
/// far).
class Kure final : public Penalty {
 public:
  struct Settings {
    double lambda = 0.1;
    double target = 1.8;      // of a uniform distribution
    bool sample_std = false;  // sigma with n - 1, as the authors' code has it: Kurt ((n-1)/n)^2
    bool inner_only = false;  // without the first and last weighted layer, near the authors' choice
  };
  explicit Kure(const Settings& settings) : settings_(settings) {}

  double add(const Network& network, std::span<const float> parameters, std::span<float> gradients) const override;

  /// One layer: returns (Kurt - target)^2 and adds weight * its gradient; `gradient` may be empty.
  double add_layer(std::span<const float> values, double weight, std::span<float> gradient) const;

 private:
  Settings settings_;
};

}  // namespace anybit
