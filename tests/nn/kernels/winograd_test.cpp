#include "nn/kernels/winograd.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "nn/kernel_set.h"
#include "nn/kernels/products.h"
#include "nn/random.h"

namespace anybit {
namespace {

constexpr std::size_t kExamples = 3;
constexpr std::size_t kInputs = 16;
constexpr std::size_t kOutputs = 32;

std::vector<float> numbers(std::size_t count, std::uint32_t name) {
  std::vector<float> made(count);
  Stream({.seed = 8, .purpose = Purpose::kInitialize, .layer = name}).fill_uniform(made, -1.0F, 1.0F);
  return made;
}

double dot(const std::vector<float>& a, const std::vector<float>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}

struct Plane {
  std::size_t height, width, padding;
  std::size_t out_height() const { return height + 2 * padding - 2; }
  std::size_t out_width() const { return width + 2 * padding - 2; }
  std::size_t inputs() const { return kExamples * height * width * kInputs; }
  std::size_t outputs() const { return kExamples * out_height() * out_width() * kOutputs; }
};

/// Number (n, i, j, channel) of the direct convolution, in double. Weights are [output][input][3][3].
double direct(const Plane& p, const std::vector<float>& x, const std::vector<float>& w, std::size_t n, std::size_t i,
              std::size_t j, std::size_t channel) {
  double sum = 0;
  for (std::size_t a = 0; a < 3; ++a)
    for (std::size_t b = 0; b < 3; ++b) {
      const std::size_t row = i + a, column = j + b;  // counted from the padding's first
      if (row < p.padding || column < p.padding || row >= p.height + p.padding || column >= p.width + p.padding)
        continue;
      const std::size_t pixel = (n * p.height + row - p.padding) * p.width + column - p.padding;
      for (std::size_t c = 0; c < kInputs; ++c)
        sum += static_cast<double>(x[pixel * kInputs + c]) * w[(channel * kInputs + c) * 9 + 3 * a + b];
    }
  return sum;
}

/// A set's kernels as a layer puts them together, over tiles in two parts, as a layer may cut them. Planes are further
/// apart than they must be.
class Filtering {
 public:
  Filtering(const Kernels& set, const Plane& p)
      : set_(set),
        tiles_{.in_height = p.height,
               .in_width = p.width,
               .out_height = p.out_height(),
               .out_width = p.out_width(),
               .padding = p.padding,
               .high = (p.out_height() + 3) / 4,
               .wide = (p.out_width() + 3) / 4,
               .begin = 0,
               .end = 0} {
    const std::size_t all = kExamples * tiles_.high * tiles_.wide;
    parts_ = {0, all / 3, all};
    input_plane_ = all * kInputs + 5;
    output_plane_ = all * kOutputs + 5;
    v_.resize(WinogradTiles::kPlanes * input_plane_);
    m_.resize(WinogradTiles::kPlanes * output_plane_);
  }

  std::vector<float> forward(const Plane& p, const std::vector<float>& x, const std::vector<float>& w,
                             const float* bias, bool relu) {
    std::vector<float> u(kFilters), y(p.outputs(), 9.0F);
    set_.winograd.filters(kByInput, w.data(), u.data());
    each_part([&] {
      set_.winograd.input(tiles_, kInputs, input_plane_, x.data(), v_.data());
      run(product(v_.data(), u.data(), m_.data(), here(), kOutputs, kInputs), input_plane_, kInputs * kOutputs,
          output_plane_);
      set_.winograd.output(tiles_, kOutputs, output_plane_, m_.data(), bias, relu, y.data());
    });
    return y;
  }

  std::vector<float> input_gradient(const Plane& p, const std::vector<float>& dy, const std::vector<float>& w) {
    std::vector<float> u(kFilters), dx(p.inputs(), 0.0F);
    set_.winograd.filters(kByOutput, w.data(), u.data());
    each_part([&] {
      set_.winograd.output_gradient(tiles_, kOutputs, output_plane_, dy.data(), m_.data());
      run(product(m_.data(), u.data(), v_.data(), here(), kInputs, kOutputs), output_plane_, kInputs * kOutputs,
          input_plane_);
      set_.winograd.input_gradient(tiles_, kInputs, input_plane_, v_.data(), dx.data());
    });
    return dx;
  }

  std::vector<float> weight_gradient(const std::vector<float>& x, const std::vector<float>& dy) {
    std::vector<float> du(kFilters), dw(9 * kInputs * kOutputs, 9.0F);
    each_part([&] {
      set_.winograd.output_gradient(tiles_, kOutputs, output_plane_, dy.data(), m_.data());
      set_.winograd.input(tiles_, kInputs, input_plane_, x.data(), v_.data());
      SumOfRows gradients = transposed_product(v_.data(), m_.data(), du.data(), kInputs, kOutputs, here());
      gradients.accumulate = tiles_.begin > 0;
      run(gradients, input_plane_, output_plane_, kInputs * kOutputs);
    });
    set_.winograd.filters_gradient(kByInput, du.data(), dw.data());
    return dw;
  }

 private:
  static constexpr std::size_t kFilters = WinogradTiles::kPlanes * kInputs * kOutputs;
  static constexpr WinogradFilters kByInput = {kInputs, kOutputs, 9, 9 * kInputs};
  static constexpr WinogradFilters kByOutput = {kOutputs, kInputs, 9 * kInputs, 9};

  std::size_t here() const { return tiles_.end - tiles_.begin; }

  template <class Visit>
  void each_part(Visit visit) {
    for (std::size_t part = 0; part + 1 < parts_.size(); ++part) {
      tiles_.begin = parts_[part];
      tiles_.end = parts_[part + 1];
      visit();
    }
  }

  void run(SumOfRows of_plane, std::size_t coefficients, std::size_t v, std::size_t c) const {
    for (std::size_t p = 0; p < WinogradTiles::kPlanes; ++p) {
      set_.sum_of_rows(of_plane);
      of_plane.coefficients += coefficients;
      of_plane.v += v;
      of_plane.c += c;
    }
  }

  const Kernels& set_;
  WinogradTiles tiles_;
  std::vector<std::size_t> parts_;
  std::size_t input_plane_, output_plane_;
  std::vector<float> v_, m_;
};

class WinogradOfSet : public testing::TestWithParam<std::string> {
 protected:
  const Kernels& set = kernels_of(GetParam().c_str());
  // Whole tiles, squares over every edge, images smaller than a tile.
  const std::vector<Plane> planes = {{6, 10, 0}, {8, 4, 1}, {7, 9, 0}, {5, 6, 1}, {3, 4, 0}, {2, 9, 2}};
  const std::vector<float> w = numbers(9 * kInputs * kOutputs, 1);
};

TEST_P(WinogradOfSet, ForwardIsTheDirectConvolution) {
  const std::vector<float> bias = numbers(kOutputs, 4);
  for (const Plane& p : planes)
    for (const bool relu : {false, true}) {
      const std::vector<float> x = numbers(p.inputs(), 2);
      const std::vector<float> y = Filtering(set, p).forward(p, x, w, relu ? bias.data() : nullptr, relu);
      double worst = 0;
      std::size_t at = 0;
      for (std::size_t n = 0; n < kExamples; ++n)
        for (std::size_t i = 0; i < p.out_height(); ++i)
          for (std::size_t j = 0; j < p.out_width(); ++j)
            for (std::size_t c = 0; c < kOutputs; ++c) {
              const double sum = direct(p, x, w, n, i, j, c);
              const double expected = relu ? std::max(0.0, sum + static_cast<double>(bias[c])) : sum;
              worst = std::max(worst, std::abs(expected - static_cast<double>(y[at++])));
            }
      EXPECT_LT(worst, 1e-4) << p.height << " x " << p.width;  // of values up to 15
    }
}

// A convolution is linear in its input and in its weights, so both gradients are the adjoint maps: <dy, conv(x, w)> is
// <dx, x>, and <dw, w>, for any x, w and dy.
TEST_P(WinogradOfSet, GradientsAreTheAdjoints) {
  for (const Plane& p : planes) {
    const std::vector<float> x = numbers(p.inputs(), 2), dy = numbers(p.outputs(), 3);
    Filtering filtering(set, p);
    const double expected = dot(dy, filtering.forward(p, x, w, nullptr, false));
    const double tolerance = 1e-5 * std::sqrt(static_cast<double>(dy.size())) * 10;
    EXPECT_NEAR(dot(filtering.input_gradient(p, dy, w), x), expected, tolerance) << p.height << " x " << p.width;
    EXPECT_NEAR(dot(filtering.weight_gradient(x, dy), w), expected, tolerance) << p.height << " x " << p.width;
  }
}

INSTANTIATE_TEST_SUITE_P(Machine, WinogradOfSet, testing::ValuesIn(machine_instruction_sets()),
                         [](const auto& of) { return of.param; });

}  // namespace
}  // namespace anybit
