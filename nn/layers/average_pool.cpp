#include <algorithm>

#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// Mean over windows; kernel 0 is the whole plane.
class AveragePoolLayer final : public Layer {
 public:
  AveragePoolLayer(const AveragePool& pool, const LayerPlan& plan)
      : height_(pool.kernel == 0 ? plan.input.height : pool.kernel),
        width_(pool.kernel == 0 ? plan.input.width : pool.kernel),
        stride_(pool.kernel == 0 ? 1 : pool.stride),
        plan_(plan) {}

  void forward(const LayerPass& pass) override {
    const std::size_t channels = static_cast<std::size_t>(plan_.input.channels);
    const float share = 1.0F / static_cast<float>(height_ * width_);
    std::fill_n(pass.output, static_cast<std::size_t>(pass.rows) * plan_.output.size(), 0.0F);
    each_pixel(pass.rows, [&](std::size_t in, std::size_t out) {
      for (std::size_t c = 0; c < channels; ++c) pass.output[out + c] += share * pass.input[0][in + c];
    });
  }

  void backward(LayerGradient& pass) override {
    float* const to = pass.input_gradient[0];
    if (to == nullptr) return;
    const std::size_t channels = static_cast<std::size_t>(plan_.input.channels);
    const float share = 1.0F / static_cast<float>(height_ * width_);
    std::fill_n(to, static_cast<std::size_t>(pass.rows) * plan_.input.size(), 0.0F);
    each_pixel(pass.rows, [&](std::size_t in, std::size_t out) {
      for (std::size_t c = 0; c < channels; ++c) to[in + c] += share * pass.output_gradient[out + c];
    });
  }

 private:
  /// Calls visit(offset of an input pixel, offset of the output pixel it belongs to), window by window.
  template <class Visit>
  void each_pixel(int rows, Visit visit) const {
    const Shape& in = plan_.input;
    const Shape& out = plan_.output;
    const std::size_t channels = static_cast<std::size_t>(in.channels);
    for (int row = 0; row < rows; ++row)
      for (int y = 0; y < out.height; ++y)
        for (int x = 0; x < out.width; ++x)
          for (int i = 0; i < height_; ++i)
            for (int j = 0; j < width_; ++j)
              visit(
                  static_cast<std::size_t>(row) * in.size() +
                      static_cast<std::size_t>((y * stride_ + i) * in.width + x * stride_ + j) * channels,
                  static_cast<std::size_t>(row) * out.size() + static_cast<std::size_t>(y * out.width + x) * channels);
  }

  int height_;
  int width_;
  int stride_;
  LayerPlan plan_;
};

}  // namespace

std::unique_ptr<Layer> make_average_pool(const AveragePool& pool, const LayerPlan& plan) {
  return std::make_unique<AveragePoolLayer>(pool, plan);
}

}  // namespace anybit
