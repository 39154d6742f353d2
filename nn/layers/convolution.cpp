#include "nn/kernels/kernels.h"
#include "nn/layers/layers.h"
#include "nn/layers/onednn.h"

namespace anybit {
namespace {

using Tag = dnnl::memory::format_tag;
using Desc = dnnl::memory::desc;
constexpr auto kFloat = dnnl::memory::data_type::f32;
constexpr auto kAlgorithm = dnnl::algorithm::convolution_direct;

/// Two-dimensional convolution on oneDNN: plain NHWC activations, weights [O][I / groups][kh][kw]. The library wants a
/// weight layout of its own in each direction; the weights are reordered on the way in and their gradient on the way
/// out.
class ConvolutionLayer final : public Layer {
 public:
  ConvolutionLayer(const Convolution& convolution, const LayerPlan& plan)
      : convolution_(convolution), plan_(plan), onednn_(*plan.onednn) {
    for (const int rows : plan.rungs) rungs_.push_back(prepare(rows));
    packed_.resize(packed_bytes_ / sizeof(float));
  }

  void forward(const LayerPass& pass) override {
    Rung& rung = rungs_[static_cast<std::size_t>(pass.rung)];
    rung.forward.set(DNNL_ARG_SRC, pass.input[0]);
    rung.forward.set(DNNL_ARG_WEIGHTS, packed(rung.pack_forward, pass.weight));
    if (convolution_.bias) rung.forward.set(DNNL_ARG_BIAS, pass.bias);
    rung.forward.set(DNNL_ARG_DST, pass.output);
    rung.forward.run(onednn_);
  }

  void backward(LayerGradient& pass) override {
    if (plan_.masks_gradient)
      kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient,
                              static_cast<std::size_t>(pass.rows) * plan_.output.size());
    Rung& rung = rungs_[static_cast<std::size_t>(pass.rung)];
    if (pass.input_gradient[0] != nullptr) {
      rung.backward_data.set(DNNL_ARG_DIFF_DST, pass.output_gradient);
      rung.backward_data.set(DNNL_ARG_WEIGHTS, packed(rung.pack_backward, pass.weight));
      rung.backward_data.set(DNNL_ARG_DIFF_SRC, pass.input_gradient[0]);
      rung.backward_data.run(onednn_);
    }
    rung.backward_weights.set(DNNL_ARG_SRC, pass.input[0]);
    rung.backward_weights.set(DNNL_ARG_DIFF_DST, pass.output_gradient);
    if (convolution_.bias) rung.backward_weights.set(DNNL_ARG_DIFF_BIAS, pass.bias_gradient);
    rung.backward_weights.set(DNNL_ARG_DIFF_WEIGHTS, rung.unpack ? packed_.data() : pass.weight_gradient);
    rung.backward_weights.run(onednn_);
    if (rung.unpack) {
      rung.unpack.set(DNNL_ARG_FROM, packed_.data());
      rung.unpack.set(DNNL_ARG_TO, pass.weight_gradient);
      rung.unpack.run(onednn_);
    }
  }

  std::size_t bytes() const override { return held_bytes(packed_); }

 private:
  /// The kernels for one batch size. An empty reorder means that the plain layout serves.
  struct Rung {
    Prepared pack_forward, forward, pack_backward, backward_data, backward_weights, unpack;
  };

  const float* packed(Prepared& reorder, const float* weight) {
    if (!reorder) return weight;
    reorder.set(DNNL_ARG_FROM, weight);
    reorder.set(DNNL_ARG_TO, packed_.data());
    reorder.run(onednn_);
    return packed_.data();
  }

  Rung prepare(int rows) {
    const Shape& in = plan_.input;
    const Shape& out = plan_.output;
    const Desc source = nhwc(rows, in.height, in.width, in.channels);
    const Desc target = nhwc(rows, out.height, out.width, out.channels);
    const auto [plain, any] = weights_of(in.channels);
    const Desc bias = convolution_.bias ? Desc({out.channels}, kFloat, Tag::a) : Desc();
    const dnnl::memory::dims strides{convolution_.stride, convolution_.stride};
    const dnnl::memory::dims left{convolution_.padding, convolution_.padding};
    const dnnl::memory::dims right{far_padding(in.height, out.height), far_padding(in.width, out.width)};

    Rung rung;
    const auto kind = plan_.training ? dnnl::prop_kind::forward_training : dnnl::prop_kind::forward_inference;
    const dnnl::convolution_forward::primitive_desc forward(
        {kind, kAlgorithm, source, any, bias, target, strides, left, right}, OneDnn::attributes(plan_.fused_relu),
        onednn_.engine());
    refuse_reference(forward.impl_info_str(), "convolution forward");
    rung.forward = {onednn_,
                    dnnl::convolution_forward(forward),
                    forward.scratchpad_desc(),
                    {{DNNL_ARG_SRC, source},
                     {DNNL_ARG_WEIGHTS, forward.weights_desc()},
                     {DNNL_ARG_BIAS, bias},
                     {DNNL_ARG_DST, target}}};
    rung.pack_forward = pack(plain, forward.weights_desc());
    if (!plan_.training) return rung;

    if (plan_.input_gradient) {
      const dnnl::convolution_backward_data::primitive_desc data(
          {kAlgorithm, source, any, target, strides, left, right}, OneDnn::attributes(), onednn_.engine(), forward);
      refuse_reference(data.impl_info_str(), "convolution data gradient");
      rung.backward_data = {
          onednn_,
          dnnl::convolution_backward_data(data),
          data.scratchpad_desc(),
          {{DNNL_ARG_DIFF_SRC, source}, {DNNL_ARG_WEIGHTS, data.weights_desc()}, {DNNL_ARG_DIFF_DST, target}}};
      rung.pack_backward = pack(plain, data.weights_desc());
    }
    const dnnl::convolution_backward_weights::primitive_desc weights(
        {kAlgorithm, source, any, bias, target, strides, left, right}, OneDnn::attributes(), onednn_.engine(), forward);
    refuse_reference(weights.impl_info_str(), "convolution weight gradient");
    rung.backward_weights = {onednn_,
                             dnnl::convolution_backward_weights(weights),
                             weights.scratchpad_desc(),
                             {{DNNL_ARG_SRC, source},
                              {DNNL_ARG_DIFF_WEIGHTS, weights.diff_weights_desc()},
                              {DNNL_ARG_DIFF_BIAS, bias},
                              {DNNL_ARG_DIFF_DST, target}}};
    rung.unpack = pack(weights.diff_weights_desc(), plain);
    return rung;
  }

  /// Our layout of the weights, and the question for the library's.
  std::pair<Desc, Desc> weights_of(int inputs) const {
    const Convolution& c = convolution_;
    dnnl::memory::dims extents{c.channels / c.groups, inputs / c.groups, c.kernel, c.kernel};
    if (c.groups > 1) extents.insert(extents.begin(), c.groups);
    return {Desc(extents, kFloat, c.groups > 1 ? Tag::goihw : Tag::oihw), Desc(extents, kFloat, Tag::any)};
  }

  Prepared pack(const Desc& from, const Desc& to) {
    packed_bytes_ = std::max({packed_bytes_, from.get_size(), to.get_size()});
    return prepare_reorder(onednn_, from, to);
  }

  /// Padding on the far side: less than on the near side where the stride skips the last pixels.
  int far_padding(int in, int out) const {
    return (out - 1) * convolution_.stride + convolution_.kernel - in - convolution_.padding;
  }

  Convolution convolution_;
  LayerPlan plan_;
  OneDnn& onednn_;
  std::vector<Rung> rungs_;
  FloatBuffer packed_;  // a weight or weight gradient in oneDNN's layout, valid within one call
  std::size_t packed_bytes_ = 0;
};

}  // namespace

std::unique_ptr<Layer> make_convolution(const Convolution& convolution, const LayerPlan& plan) {
  return std::make_unique<ConvolutionLayer>(convolution, plan);
}

}  // namespace anybit
