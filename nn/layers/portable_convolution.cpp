#include "nn/layers/portable.h"

#include <algorithm>

#include "nn/kernels/kernels.h"
#include "nn/layers/layers.h"

namespace anybit {
namespace {

/// Convolution as a matrix product, one example at a time: every output pixel's window is laid out as a row of
/// [I][kh][kw] numbers, as the weights are; a group of channels is a block of columns. For machines that oneDNN has no
/// fast code for.
class PortableConvolutionLayer final : public Layer {
 public:
  PortableConvolutionLayer(const Convolution& convolution, const LayerPlan& plan)
      : convolution_(convolution),
        plan_(plan),
        pixels_(plan.output.height * plan.output.width),
        window_(plan.input.channels * convolution.kernel * convolution.kernel),
        part_(window_ / convolution.groups),
        filters_(convolution.channels / convolution.groups),
        windows_(static_cast<std::size_t>(pixels_) * static_cast<std::size_t>(window_)) {
    fix_blocking();
  }

  void forward(const LayerPass& pass) override {
    const ConstMap weight(pass.weight, convolution_.channels, part_);
    for (int row = 0; row < pass.rows; ++row) {
      lay_out(pass.input[0] + static_cast<std::size_t>(row) * plan_.input.size());
      Map y(pass.output + static_cast<std::size_t>(row) * plan_.output.size(), pixels_, convolution_.channels);
      const ConstMap windows(windows_.data(), pixels_, window_);
      for (int g = 0; g < convolution_.groups; ++g)
        y.middleCols(g * filters_, filters_).noalias() =
            windows.middleCols(g * part_, part_) * weight.middleRows(g * filters_, filters_).transpose();
      if (convolution_.bias) y.rowwise() += ConstRowMap(pass.bias, convolution_.channels);
      if (plan_.fused_relu) y = y.cwiseMax(0.0F);
    }
  }

  void backward(LayerGradient& pass) override {
    if (plan_.masks_gradient)
      kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient,
                              static_cast<std::size_t>(pass.rows) * plan_.output.size());
    const ConstMap weight(pass.weight, convolution_.channels, part_);
    Map weight_gradient(pass.weight_gradient, convolution_.channels, part_);
    weight_gradient.setZero();
    if (convolution_.bias) std::fill_n(pass.bias_gradient, convolution_.channels, 0.0F);
    for (int row = 0; row < pass.rows; ++row) {
      const ConstMap dy(pass.output_gradient + static_cast<std::size_t>(row) * plan_.output.size(), pixels_,
                        convolution_.channels);
      lay_out(pass.input[0] + static_cast<std::size_t>(row) * plan_.input.size());
      Map windows(windows_.data(), pixels_, window_);
      for (int g = 0; g < convolution_.groups; ++g)
        weight_gradient.middleRows(g * filters_, filters_).noalias() +=
            dy.middleCols(g * filters_, filters_).transpose() * windows.middleCols(g * part_, part_);
      if (convolution_.bias) RowMap(pass.bias_gradient, convolution_.channels) += dy.colwise().sum();
      if (pass.input_gradient[0] == nullptr) continue;
      for (int g = 0; g < convolution_.groups; ++g)
        windows.middleCols(g * part_, part_).noalias() =
            dy.middleCols(g * filters_, filters_) * weight.middleRows(g * filters_, filters_);
      gather_back(pass.input_gradient[0] + static_cast<std::size_t>(row) * plan_.input.size());
    }
  }

  std::size_t bytes() const override { return held_bytes(windows_); }

 private:
  void lay_out(const float* image) {
    std::fill(windows_.begin(), windows_.end(), 0.0F);  // what lies in the padding stays zero
    each_number([&](std::size_t at, std::size_t pixel) { windows_[at] = image[pixel]; });
  }

  void gather_back(float* image_gradient) {
    std::fill_n(image_gradient, plan_.input.size(), 0.0F);
    each_number([&](std::size_t at, std::size_t pixel) { image_gradient[pixel] += windows_[at]; });
  }

  /// Calls visit(place in windows_, place in the image) for every number that does not lie in the padding.
  template <class Visit>
  void each_number(Visit visit) const {
    const Shape& in = plan_.input;
    const Shape& out = plan_.output;
    const int kernel = convolution_.kernel;
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width; ++x)
        for (int i = 0; i < kernel; ++i)
          for (int j = 0; j < kernel; ++j) {
            const int from_y = y * convolution_.stride + i - convolution_.padding;
            const int from_x = x * convolution_.stride + j - convolution_.padding;
            if (from_y < 0 || from_y >= in.height || from_x < 0 || from_x >= in.width) continue;
            const auto window = static_cast<std::size_t>((y * out.width + x) * window_ + i * kernel + j);
            const auto pixel = static_cast<std::size_t>((from_y * in.width + from_x) * in.channels);
            for (int c = 0; c < in.channels; ++c)
              visit(window + static_cast<std::size_t>(c * kernel * kernel), pixel + static_cast<std::size_t>(c));
          }
  }

  Convolution convolution_;
  LayerPlan plan_;
  int pixels_;
  int window_;   // numbers of all input channels
  int part_;     // and of one group's
  int filters_;  // of a group
  FloatBuffer windows_;
};

}  // namespace

std::unique_ptr<Layer> make_portable_convolution(const Convolution& convolution, const LayerPlan& plan) {
  return std::make_unique<PortableConvolutionLayer>(convolution, plan);
}

}  // namespace anybit
