#include "nn/winograd.h"

#include <algorithm>
#include <atomic>

#include "nn/kernels/products.h"
#include "nn/layers/layers.h"
#include "nn/layers/onednn.h"
#include "nn/layers/sums.h"

namespace anybit {
namespace {

constexpr std::size_t kPlanes = WinogradTiles::kPlanes;
/// Whole registers of every instruction set; with 16 channels direct convolutions are as fast.
constexpr int kChannels = 32;
std::atomic<bool> direct_pinned{false};
/// Transforms of a block of tiles, in floats: with up to 64 channels they and the filters' fit a second-level cache.
constexpr std::size_t kBlock = std::size_t{1} << 17;
/// Of a block, so that filters of many channels, which fit no cache near by, are worth reading.
constexpr std::size_t kFewestTiles = 16;
/// What transforms cost is worth half of the multiplications.
constexpr double kLargestShare = 0.5;
/// Between planes, whose sizes would often be powers of two: the same places of all planes would share a cache's set.
constexpr std::size_t kGap = 16;

std::size_t tiles_over(int pixels) {
  return (static_cast<std::size_t>(pixels) + WinogradTiles::kOutput - 1) / WinogradTiles::kOutput;
}

/// From one plane to the next, in floats.
struct PlaneDistances {
  std::size_t coefficients, v, c;
};

/// The same product of all planes.
void run_on_planes(SumOfRows of_plane, const PlaneDistances& distances) {
  for (std::size_t p = 0; p < kPlanes; ++p) {
    kernels().sum_of_rows(of_plane);
    of_plane.coefficients += distances.coefficients;
    of_plane.v += distances.v;
    of_plane.c += distances.c;
  }
}

/// A 3 x 3 convolution with stride 1 by Winograd's minimal filtering, see WinogradKernels.
class WinogradLayer final : public Layer {
 public:
  WinogradLayer(const Convolution& convolution, const LayerPlan& plan)
      : plan_(plan),
        bias_(convolution.bias),
        inputs_(static_cast<std::size_t>(plan.input.channels)),
        outputs_(static_cast<std::size_t>(plan.output.channels)),
        tiles_{.in_height = static_cast<std::size_t>(plan.input.height),
               .in_width = static_cast<std::size_t>(plan.input.width),
               .out_height = static_cast<std::size_t>(plan.output.height),
               .out_width = static_cast<std::size_t>(plan.output.width),
               .padding = static_cast<std::size_t>(convolution.padding),
               .high = tiles_over(plan.output.height),
               .wide = tiles_over(plan.output.width),
               .begin = 0,
               .end = 0},
        block_(std::max(kFewestTiles, kBlock / (kPlanes * (inputs_ + outputs_)))),
        input_plane_(block_ * inputs_ + kGap),
        output_plane_(block_ * outputs_ + kGap) {
    const std::size_t filters = (plan.training ? 2 : 1) * filter_plane();
    plan.onednn->reserve_scratch(kPlanes * (filters + input_plane_ + output_plane_) * sizeof(float));
  }

  void forward(const LayerPass& pass) override {
    const Scratch s = scratch();
    kernels().winograd.filters({inputs_, outputs_, 9, 9 * inputs_}, pass.weight, s.filters);
    each_block(pass.rows, [&](const WinogradTiles& tiles) {
      kernels().winograd.input(tiles, inputs_, input_plane_, pass.input[0], s.input);
      run_on_planes(product(s.input, s.filters, s.output, tiles.end - tiles.begin, outputs_, inputs_),
                    {input_plane_, filter_plane(), output_plane_});
      kernels().winograd.output(tiles, outputs_, output_plane_, s.output, bias_ ? pass.bias : nullptr, plan_.fused_relu,
                                pass.output);
    });
  }

  void backward(LayerGradient& pass) override {
    const std::size_t size = static_cast<std::size_t>(pass.rows) * plan_.output.size();
    if (plan_.masks_gradient) kernels().relu_gradient(pass.output, pass.output_gradient, pass.output_gradient, size);
    if (bias_) sum_over_rows(pass.output_gradient, size / outputs_, outputs_, pass.bias_gradient);
    const Scratch s = scratch();
    float* const dx = pass.input_gradient[0];
    if (dx != nullptr) {
      std::fill_n(dx, static_cast<std::size_t>(pass.rows) * plan_.input.size(), 0.0F);
      kernels().winograd.filters({outputs_, inputs_, 9 * inputs_, 9}, pass.weight, s.filters);
    }
    each_block(pass.rows, [&](const WinogradTiles& tiles) {
      kernels().winograd.output_gradient(tiles, outputs_, output_plane_, pass.output_gradient, s.output);
      kernels().winograd.input(tiles, inputs_, input_plane_, pass.input[0], s.input);
      const std::size_t count = tiles.end - tiles.begin;
      SumOfRows gradients = transposed_product(s.input, s.output, s.filter_gradients, inputs_, outputs_, count);
      gradients.accumulate = tiles.begin > 0;
      run_on_planes(gradients, {input_plane_, output_plane_, filter_plane()});
      if (dx == nullptr) return;
      run_on_planes(product(s.output, s.filters, s.input, count, inputs_, outputs_),
                    {output_plane_, filter_plane(), input_plane_});
      kernels().winograd.input_gradient(tiles, inputs_, input_plane_, s.input, dx);
    });
    kernels().winograd.filters_gradient({inputs_, outputs_, 9, 9 * inputs_}, s.filter_gradients, pass.weight_gradient);
  }

 private:
  struct Scratch {
    float *filters, *filter_gradients, *input, *output;
  };

  Scratch scratch() const {
    Scratch s;
    s.filters = plan_.onednn->scratch();
    s.input = s.filters + kPlanes * filter_plane();
    s.output = s.input + kPlanes * input_plane_;
    s.filter_gradients = s.output + kPlanes * output_plane_;
    return s;
  }

  std::size_t filter_plane() const { return inputs_ * outputs_; }

  /// In blocks as equal as can be.
  template <class Visit>
  void each_block(int rows, Visit visit) const {
    WinogradTiles tiles = tiles_;
    const std::size_t all = static_cast<std::size_t>(rows) * tiles.high * tiles.wide;
    const std::size_t blocks = (all + block_ - 1) / block_;
    for (std::size_t block = 0; block < blocks; ++block) {
      tiles.begin = all * block / blocks;
      tiles.end = all * (block + 1) / blocks;
      visit(tiles);
    }
  }

  LayerPlan plan_;
  bool bias_;
  std::size_t inputs_;
  std::size_t outputs_;
  WinogradTiles tiles_;
  std::size_t block_;  // tiles, at most
  std::size_t input_plane_;
  std::size_t output_plane_;
};

}  // namespace

bool takes_winograd(const Convolution& convolution, const Shape& input, const Shape& output) {
  const auto fills = [](int channels) { return channels % kChannels == 0; };
  return !direct_pinned && convolution.kernel == 3 && convolution.stride == 1 && convolution.groups == 1 &&
         fills(input.channels) && fills(output.channels) && winograd_share(output) <= kLargestShare;
}

double winograd_share(const Shape& output) {
  const auto done = static_cast<double>(kPlanes * tiles_over(output.height) * tiles_over(output.width));
  return done / (9.0 * output.height * output.width);
}

void pin_direct_convolutions() { direct_pinned = true; }

std::unique_ptr<Layer> make_winograd(const Convolution& convolution, const LayerPlan& plan) {
  return std::make_unique<WinogradLayer>(convolution, plan);
}

}  // namespace anybit
