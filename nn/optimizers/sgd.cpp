#include "nn/optimizers/sgd.h"

#include <cassert>

#include "nn/optimizers/groups.h"
#include "nn/optimizers/schedule.h"

namespace anybit {
namespace {

struct Settings {
  Schedule schedule;
  double decay = 0;
  double clip = 0;
  double momentum = 0;
  bool nesterov = false;
};

/// The numbers of one step on one run of tensors.
struct Factors {
  float rate;
  float scale;  // of the gradient, by clipping
  float decay;
  float momentum;
};

void plain_step(float* __restrict w, const float* __restrict gradient, std::size_t size, const Factors& f) {
  const auto [rate, scale, decay, momentum] = f;
  for (std::size_t i = 0; i < size; ++i) w[i] -= rate * (scale * gradient[i] + decay * w[i]);
}

template <bool kNesterov>
void momentum_step(float* __restrict w, float* __restrict buffer, const float* __restrict gradient, std::size_t size,
                   const Factors& f) {
  const auto [rate, scale, decay, momentum] = f;
  for (std::size_t i = 0; i < size; ++i) {
    const float g = scale * gradient[i] + decay * w[i];
    const float b = momentum * buffer[i] + g;
    buffer[i] = b;
    w[i] -= rate * (kNesterov ? g + momentum * b : b);
  }
}

class Sgd final : public Optimizer {
 public:
  explicit Sgd(Settings settings) : settings_(std::move(settings)) {}

  int state_buffers() const override { return settings_.momentum != 0.0 ? 1 : 0; }

  void step(const Layout& layout, std::span<float> values, std::span<float> gradients, std::span<float> state,
            double progress, int) const override {
    assert(values.size() == layout.size() && gradients.size() == layout.size());
    assert(state.size() >= static_cast<std::size_t>(state_buffers()) * layout.size());
    const double rate = settings_.schedule.rate_at(progress);
    const float scale = clip_scale(layout, gradients, settings_.clip);
    for_each_run(layout, [&](const TensorRun& run) {
      const Factors factors = {static_cast<float>(rate * static_cast<double>(run.group.rate)), scale,
                               run.group.decay ? static_cast<float>(settings_.decay) : 0.0F,
                               static_cast<float>(settings_.momentum)};
      float* w = values.data() + run.offset;
      const float* g = gradients.data() + run.offset;
      if (settings_.momentum == 0.0) {
        plain_step(w, g, run.size, factors);
      } else if (settings_.nesterov) {
        momentum_step<true>(w, state.data() + run.offset, g, run.size, factors);
      } else {
        momentum_step<false>(w, state.data() + run.offset, g, run.size, factors);
      }
    });
  }

 private:
  Settings settings_;
};

std::unique_ptr<Optimizer> make(const Options& options) {
  Settings settings;
  settings.schedule = read_schedule(options);
  settings.decay = options.non_negative("decay");
  settings.clip = options.non_negative("clip");
  settings.momentum = read_fraction_below_one(options, "momentum");
  settings.nesterov = options.boolean("nesterov");
  options.require(!settings.nesterov || settings.momentum > 0.0, "nesterov", "needs a momentum above 0");
  return std::make_unique<Sgd>(std::move(settings));
}

}  // namespace

OptimizerTable::Row sgd_row() {
  std::vector<OptionRow> options = shared_optimizer_options(0.05);
  options.push_back({"momentum", 0.0, 0.9, "share of the last step that is kept; forgotten between rounds"});
  options.push_back({"nesterov", false, true, "look ahead along the momentum", {{"momentum", 0.9}}});
  return {{"sgd",
           "stochastic gradient descent, with momentum and weight decay",
           "Robbins and Monro 1951; Polyak 1964; Nesterov 1983",
           std::move(options),
           {"", {}, {}, "an optimiser has no base to equal"}},
          make};
}

}  // namespace anybit
