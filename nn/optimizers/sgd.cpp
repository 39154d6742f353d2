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

template <bool kNesterov>
void momentum_step(float* __restrict w, float* __restrict buffer, const float* __restrict gradient, std::size_t size,
                   const PlainStep& step, float momentum) {
  const float rate = step.rate, scale = step.scale, decay = step.decay;
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
    const PlainStep whole = {.rate = static_cast<float>(settings_.schedule.rate_at(progress)),
                             .scale = clip_scale(layout, gradients, settings_.clip),
                             .decay = static_cast<float>(settings_.decay)};
    const auto momentum = static_cast<float>(settings_.momentum);
    for_each_run(layout, [&](const TensorRun& run) {
      const PlainStep step = step_of(whole, run.group);
      float* w = values.data() + run.offset;
      const float* g = gradients.data() + run.offset;
      if (settings_.momentum == 0.0) {
        kernels().plain_step(w, g, run.size, step);
      } else if (settings_.nesterov) {
        momentum_step<true>(w, state.data() + run.offset, g, run.size, step, momentum);
      } else {
        momentum_step<false>(w, state.data() + run.offset, g, run.size, step, momentum);
      }
    });
  }

  std::optional<PlainStep> plain_step(double progress) const override {
    if (settings_.momentum != 0.0 || settings_.clip != 0.0) return std::nullopt;
    return PlainStep{.rate = static_cast<float>(settings_.schedule.rate_at(progress)),
                     .decay = static_cast<float>(settings_.decay)};
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
