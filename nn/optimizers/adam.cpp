#include "nn/optimizers/adam.h"

#include <cassert>
#include <cmath>

#include "nn/optimizers/groups.h"
#include "nn/optimizers/schedule.h"

namespace anybit {
namespace {

struct Settings {
  Schedule schedule;
  double decay = 0;
  double clip = 0;
  double beta1 = 0;
  double beta2 = 0;
  double epsilon = 0;
};

/// The numbers of one step on one run of tensors.
struct Factors {
  float rate;   // with the first moment's correction
  float scale;  // of the gradient, by clipping
  float decay;
  float beta1;
  float rest1;
  float beta2;
  float rest2;
  float root_correction;  // 1 / sqrt(1 - beta2^t)
  float epsilon;
};

void adam_step(float* __restrict w, float* __restrict first, float* __restrict second, const float* __restrict gradient,
               std::size_t size, const Factors& f) {
  const auto [rate, scale, decay, beta1, rest1, beta2, rest2, root_correction, epsilon] = f;
  for (std::size_t i = 0; i < size; ++i) {
    const float g = scale * gradient[i] + decay * w[i];
    const float m = beta1 * first[i] + rest1 * g;
    const float v = beta2 * second[i] + rest2 * g * g;
    first[i] = m;
    second[i] = v;
    w[i] -= rate * (m / (std::sqrt(v) * root_correction + epsilon));
  }
}

/// base^exponent by squaring: the same bits with every libm.
double whole_power(double base, int exponent) {
  double result = 1.0;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1) result *= base;
    base *= base;
  }
  return result;
}

class Adam final : public Optimizer {
 public:
  explicit Adam(Settings settings) : settings_(std::move(settings)) {}

  int state_buffers() const override { return 2; }

  void step(const Layout& layout, std::span<float> values, std::span<float> gradients, std::span<float> state,
            double progress, int step) const override {
    assert(values.size() == layout.size() && gradients.size() == layout.size());
    assert(state.size() >= 2 * layout.size());
    const Settings& s = settings_;
    const double rate = s.schedule.rate_at(progress) / (1.0 - whole_power(s.beta1, step + 1));
    Factors factors{};
    factors.scale = clip_scale(layout, gradients, s.clip);
    factors.beta1 = static_cast<float>(s.beta1);
    factors.rest1 = static_cast<float>(1.0 - s.beta1);
    factors.beta2 = static_cast<float>(s.beta2);
    factors.rest2 = static_cast<float>(1.0 - s.beta2);
    factors.root_correction = static_cast<float>(1.0 / std::sqrt(1.0 - whole_power(s.beta2, step + 1)));
    factors.epsilon = static_cast<float>(s.epsilon);
    for_each_run(layout, [&](const TensorRun& run) {
      factors.rate = static_cast<float>(rate * static_cast<double>(run.group.rate));
      factors.decay = run.group.decay ? static_cast<float>(s.decay) : 0.0F;
      adam_step(values.data() + run.offset, state.data() + run.offset, state.data() + layout.size() + run.offset,
                gradients.data() + run.offset, run.size, factors);
    });
  }

  std::optional<PlainStep> plain_step(double) const override { return std::nullopt; }

 private:
  Settings settings_;
};

std::unique_ptr<Optimizer> make(const Options& options) {
  Settings settings;
  settings.schedule = read_schedule(options);
  settings.decay = options.non_negative("decay");
  settings.clip = options.non_negative("clip");
  settings.beta1 = read_fraction_below_one(options, "beta1");
  settings.beta2 = read_fraction_below_one(options, "beta2");
  settings.epsilon = options.non_negative("epsilon");
  options.require(settings.epsilon > 0.0, "epsilon", "must be above 0, or a zero gradient divides by zero");
  return std::make_unique<Adam>(std::move(settings));
}

}  // namespace

OptimizerTable::Row adam_row() {
  std::vector<OptionRow> options = shared_optimizer_options(0.001);
  options.push_back({"beta1", 0.9, 0.5, "share of the mean of gradients that is kept"});
  options.push_back({"beta2", 0.999, 0.9, "share of the mean of squared gradients that is kept"});
  options.push_back({"epsilon", 1e-8, 1e-3, "added to the root of the mean square"});
  return {{"adam",
           "steps scaled by running moments of the gradient, which start anew each round",
           "Kingma and Ba, Adam, ICLR 2015",
           std::move(options),
           {"", {}, {}, "an optimiser has no base to equal"}},
          make};
}

}  // namespace anybit
