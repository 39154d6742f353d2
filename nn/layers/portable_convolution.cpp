#include <algorithm>

#include "nn/kernels/products.h"
#include "nn/layers/layers.h"
#include "nn/layers/sums.h"

namespace anybit {
namespace {

/// Convolution as a matrix product, one example at a time: every output pixel's window is laid out as a row of
/// [I][kh][kw] numbers, as the weights are; a group of channels is a block of columns. For machines that oneDNN has no
/// fast code for. Sums run in one chain each, in order, so the bits are the same whatever the width of a register.
class PortableConvolutionLayer final : public Layer {
 public:
  PortableConvolutionLayer(const Convolution& convolution, const LayerPlan& plan)
      : convolution_(convolution),
        plan_(plan),
        groups_(static_cast<std::size_t>(convolution.groups)),
        channels_(static_cast<std::size_t>(convolution.channels)),
        filters_(channels_ / groups_),
        pixels_(static_cast<std::size_t>(plan.output.height * plan.output.width)),
        window_(static_cast<std::size_t>(plan.input.channels * convolution.kernel * convolution.kernel)),
        part_(window_ / groups_),
        windows_(pixels_ * window_),
        by_window_(part_ * channels_) {}

  void forward(const LayerPass& pass) override {
    for (std::size_t channel = 0; channel < channels_; ++channel)
      for (std::size_t i = 0; i < part_; ++i) by_window_[i * channels_ + channel] = pass.weight[channel * part_ + i];
    for (std::size_t row = 0; row < static_cast<std::size_t>(pass.rows); ++row) {
      lay_out(pass.input[0] + row * plan_.input.size());
      for (std::size_t g = 0; g < groups_; ++g) {
        SumOfRows sums = product(windows_.data() + g * part_, by_window_.data() + g * filters_,
                                 pass.output + row * plan_.output.size() + g * filters_, pixels_, filters_, part_);
        sums.row_stride = window_;
        sums.v_stride = sums.c_stride = channels_;
        sums.start = convolution_.bias ? pass.bias + g * filters_ : nullptr;
        sums.relu = plan_.fused_relu;
        kernels().sum_of_rows(sums);
      }
    }
  }

  void backward(LayerGradient& pass) override {
    const auto rows = static_cast<std::size_t>(pass.rows);
    if (plan_.masks_gradient)
      kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient, rows * plan_.output.size());
    if (convolution_.bias) sum_over_rows(pass.output_gradient, rows * pixels_, channels_, pass.bias_gradient);
    for (std::size_t row = 0; row < rows; ++row) {
      const float* const dy = pass.output_gradient + row * plan_.output.size();
      lay_out(pass.input[0] + row * plan_.input.size());
      for (std::size_t g = 0; g < groups_; ++g) add_weight_gradient(pass, dy + g * filters_, g, row > 0);
      if (pass.input_gradient[0] == nullptr) continue;
      for (std::size_t g = 0; g < groups_; ++g) {
        SumOfRows sums = product(dy + g * filters_, pass.weight + g * filters_ * part_, windows_.data() + g * part_,
                                 pixels_, part_, filters_);
        sums.row_stride = channels_;
        sums.c_stride = window_;
        kernels().sum_of_rows(sums);
      }
      gather_back(pass.input_gradient[0] + row * plan_.input.size());
    }
  }

  std::size_t bytes() const override { return held_bytes(windows_) + held_bytes(by_window_); }

 private:
  /// Of group g, from one example; goes on from what is there if `more`.
  void add_weight_gradient(LayerGradient& pass, const float* dy, std::size_t g, bool more) const {
    SumOfRows sums = transposed_product(dy, windows_.data() + g * part_, pass.weight_gradient + g * filters_ * part_,
                                        filters_, part_, pixels_);
    sums.term_stride = channels_;
    sums.v_stride = window_;
    sums.accumulate = more;
    kernels().sum_of_rows(sums);
  }

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
            const auto window =
                static_cast<std::size_t>(y * out.width + x) * window_ + static_cast<std::size_t>(i * kernel + j);
            const auto pixel = static_cast<std::size_t>((from_y * in.width + from_x) * in.channels);
            for (int c = 0; c < in.channels; ++c)
              visit(window + static_cast<std::size_t>(c * kernel * kernel), pixel + static_cast<std::size_t>(c));
          }
  }

  Convolution convolution_;
  LayerPlan plan_;
  std::size_t groups_;
  std::size_t channels_;
  std::size_t filters_;  // of a group
  std::size_t pixels_;   // of the output
  std::size_t window_;   // numbers of all input channels
  std::size_t part_;     // and of one group's
  FloatBuffer windows_;
  FloatBuffer by_window_;  // the weights, [I][kh][kw] of a group by output channels
};

}  // namespace

std::unique_ptr<Layer> make_portable_convolution(const Convolution& convolution, const LayerPlan& plan) {
  return std::make_unique<PortableConvolutionLayer>(convolution, plan);
}

}  // namespace anybit
