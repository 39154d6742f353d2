#include <algorithm>

#include "nn/layers/layers.h"
#include "nn/layers/windows.h"

namespace anybit {
namespace {

/// He et al. 2016, option A: takes every stride-th pixel and appends zero channels.
class ShortcutLayer final : public Layer {
 public:
  ShortcutLayer(const Shortcut& shortcut, const LayerPlan& plan) : stride_(shortcut.stride), plan_(plan) {}

  void forward(const LayerPass& pass) override {
    const std::size_t kept = static_cast<std::size_t>(plan_.input.channels);
    const std::size_t all = static_cast<std::size_t>(plan_.output.channels);
    each_window(plan_.input, plan_.output, stride_, pass.rows, [&](std::size_t in, std::size_t out) {
      std::copy_n(pass.input[0] + in, kept, pass.output + out);
      std::fill_n(pass.output + out + kept, all - kept, 0.0F);
    });
  }

  void backward(LayerGradient& pass) override {
    float* const to = pass.input_gradient[0];
    if (to == nullptr) return;
    std::fill_n(to, static_cast<std::size_t>(pass.rows) * plan_.input.size(), 0.0F);
    each_window(plan_.input, plan_.output, stride_, pass.rows, [&](std::size_t in, std::size_t out) {
      std::copy_n(pass.output_gradient + out, static_cast<std::size_t>(plan_.input.channels), to + in);
    });
  }

 private:
  int stride_;
  LayerPlan plan_;
};

}  // namespace

std::unique_ptr<Layer> make_shortcut(const Shortcut& shortcut, const LayerPlan& plan) {
  return std::make_unique<ShortcutLayer>(shortcut, plan);
}

}  // namespace anybit
