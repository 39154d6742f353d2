#include "nn/kernels/products.h"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/kernel_set.h"
#include "nn/random.h"

namespace anybit {
namespace {

/// Numbers in [-1, 1), a fifth of them exactly zero.
std::vector<float> numbers(std::size_t count, std::uint32_t name) {
  std::vector<float> made(count);
  Stream({.seed = 7, .purpose = Purpose::kInitialize, .layer = name}).fill_uniform(made, -1.0F, 1.0F);
  for (std::size_t i = 0; i < count; i += 5) made[i] = 0.0F;
  return made;
}

/// Every set that this machine can run; sizes with and without a rest beside whole registers.
class KernelsOfSet : public testing::TestWithParam<std::string> {
 protected:
  const Kernels& set = kernels_of(GetParam().c_str());
  const std::vector<std::size_t> sizes = {1, 3, 16, 48, 50, 101};
};

TEST_P(KernelsOfSet, AddAndRelu) {
  for (const std::size_t size : sizes) {
    const std::vector<float> a = numbers(size, 1), b = numbers(size, 2);
    std::vector<float> sum(size), positive_sum(size), positive(size), masked(size);
    set.add(a.data(), b.data(), sum.data(), size);
    set.add_relu(a.data(), b.data(), positive_sum.data(), size);
    set.relu(a.data(), positive.data(), size);
    set.relu_gradient(a.data(), b.data(), masked.data(), size);
    for (std::size_t i = 0; i < size; ++i) {
      EXPECT_EQ(sum[i], a[i] + b[i]);
      EXPECT_EQ(positive_sum[i], std::max(a[i] + b[i], 0.0F));
      EXPECT_EQ(positive[i], std::max(a[i], 0.0F));
      EXPECT_EQ(masked[i], a[i] > 0.0F ? b[i] : 0.0F);
    }
  }
}

TEST_P(KernelsOfSet, ScaleBytes) {
  const std::vector<float> scale = numbers(Kernels::kPattern, 1), shift = numbers(Kernels::kPattern, 2);
  for (const std::size_t size : sizes) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(37 * i);
    std::vector<float> made(size);
    set.scale_bytes(bytes.data(), scale.data(), shift.data(), made.data(), size);
    for (std::size_t i = 0; i < size; ++i)
      EXPECT_EQ(made[i],
                std::fma(static_cast<float>(bytes[i]), scale[i % Kernels::kPattern], shift[i % Kernels::kPattern]));
  }
}

/// What max_pool must give, pixel by pixel.
struct PlainPool {
  std::vector<float> y;
  std::vector<std::uint8_t> winner;

  PlainPool(const PoolWindows& w, const std::vector<float>& x, bool dead_at_zero) {
    for (std::size_t row = 0; row < w.rows; ++row)
      for (std::size_t i = 0; i < w.out_height; ++i)
        for (std::size_t j = 0; j < w.out_width; ++j)
          for (std::size_t c = 0; c < w.channels; ++c)
            add_window(w, x, row, i * w.stride, j * w.stride, c, dead_at_zero);
  }

 private:
  void add_window(const PoolWindows& w, const std::vector<float>& x, std::size_t row, std::size_t top, std::size_t left,
                  std::size_t channel, bool dead_at_zero) {
    float best = -INFINITY;
    std::size_t won = 0;
    for (std::size_t pixel = 0; pixel < w.kernel * w.kernel; ++pixel) {
      const std::size_t at = (row * w.in_height + top + pixel / w.kernel) * w.in_width + left + pixel % w.kernel;
      const float value = x[at * w.channels + channel];
      if (value > best) won = pixel;
      best = std::max(best, value);
    }
    y.push_back(best);
    winner.push_back(dead_at_zero && best <= 0.0F ? Kernels::kDeadWindow : static_cast<std::uint8_t>(won));
  }
};

TEST_P(KernelsOfSet, MaxPool) {
  for (const std::size_t channels : sizes)
    for (const std::size_t stride : {2U, 1U})
      for (const bool dead_at_zero : {false, true}) {
        const PoolWindows w = {2, 5, 7, (5 - 2) / stride + 1, (7 - 2) / stride + 1, channels, 2, stride};
        std::vector<float> x = numbers(w.rows * w.in_height * w.in_width * channels, 1);
        if (dead_at_zero) std::ranges::transform(x, x.begin(), [](float value) { return std::max(value, 0.0F); });
        const PlainPool plain(w, x, dead_at_zero);
        std::vector<float> y(plain.y.size());
        std::vector<std::uint8_t> winner(plain.y.size());
        set.max_pool(w, x.data(), y.data(), winner.data(), dead_at_zero);
        EXPECT_EQ(y, plain.y);
        EXPECT_EQ(winner, plain.winner);
      }
}

TEST_P(KernelsOfSet, MaxPoolGradient) {
  for (const std::size_t channels : sizes)
    for (const bool tiles : {true, false}) {
      const std::size_t side = tiles ? 4 : 5;
      const std::size_t stride = tiles ? 2 : 1;
      const std::size_t out = (side - 2) / stride + 1;
      const PoolWindows w = {2, side, side, out, out, channels, 2, stride};
      const std::vector<float> x = numbers(2 * side * side * channels, 1), dy = numbers(2 * out * out * channels, 2);
      std::vector<float> y(dy.size()), dx(x.size(), tiles ? 9.0F : 0.0F);
      std::vector<std::uint8_t> winner(dy.size());
      set.max_pool(w, x.data(), y.data(), winner.data(), false);
      set.max_pool_gradient(w, dy.data(), winner.data(), dx.data(), tiles);
      // Each window hands its gradient on once: the sums agree, and so do the sums weighted by the input, as y is x
      // there.
      double given = 0, taken = 0, given_of_y = 0, taken_of_x = 0;
      for (std::size_t i = 0; i < dy.size(); ++i) given += dy[i], given_of_y += static_cast<double>(dy[i]) * y[i];
      for (std::size_t i = 0; i < x.size(); ++i) taken += dx[i], taken_of_x += static_cast<double>(dx[i]) * x[i];
      EXPECT_NEAR(given, taken, 1e-4);
      EXPECT_NEAR(given_of_y, taken_of_x, 1e-4);
    }
}

// Products are compared with those of Eigen, in double.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix matrix(const std::vector<float>& numbers, std::size_t rows, std::size_t columns) {
  using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Floats>(numbers.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns))
      .cast<double>();
}

/// left right + start in each row, and what is negative cut off where `relu`.
Matrix exact_product(const Matrix& left, const Matrix& right, const std::vector<float>& start, bool relu) {
  Matrix exact = (left * right).rowwise() + matrix(start, 1, start.size()).row(0);
  if (relu) exact = exact.cwiseMax(0.0);
  return exact;
}

double worst(const std::vector<float>& c, const Matrix& exact) {
  const auto rows = static_cast<std::size_t>(exact.rows()), columns = static_cast<std::size_t>(exact.cols());
  return (matrix(c, rows, columns) - exact).cwiseAbs().maxCoeff();
}

// The largest is too large for a cache, so it goes by blocks of columns and terms.
TEST_P(KernelsOfSet, SumOfRows) {
  for (const std::size_t rows : {1U, 7U, 10U, 23U})
    for (const std::size_t columns : {3U, 16U, 37U, 250U})
      for (const std::size_t terms : {1U, 10U, 150U})
        for (const bool transposed : {false, true}) {
          const std::vector<float> coefficients = numbers(rows * terms, 1), v = numbers(terms * columns, 2);
          const std::vector<float> start = numbers(columns, 3);
          std::vector<float> c(rows * columns, 9.0F);
          const Matrix left =
              transposed ? Matrix(matrix(coefficients, terms, rows).transpose()) : matrix(coefficients, rows, terms);
          const Matrix exact = exact_product(left, matrix(v, terms, columns), start, transposed);
          SumOfRows sums = (transposed ? transposed_product : product)(coefficients.data(), v.data(), c.data(), rows,
                                                                       columns, terms);
          sums.start = start.data();
          sums.relu = transposed;
          set.sum_of_rows(sums);
          EXPECT_LT(worst(c, exact), 1e-5) << rows << " x " << columns << " x " << terms;
        }
}

// Rows that end in a register of their own overlap it with the one before: each weight steps once all the same.
TEST_P(KernelsOfSet, SumOfRowsStepsAsThePlainStepDoes) {
  PlainStep step = {.rate = 0.1F, .scale = 1.0F, .decay = 0.01F};
  constexpr std::size_t kRows = 7, kTerms = 10;
  for (const std::size_t columns : {3U, 16U, 37U, 250U}) {
    step.clipped = columns > 16;
    step.interval = {0.1F, 2.0F, -0.7F, 0.9F};
    const std::vector<float> coefficients = numbers(kTerms * kRows, 1), v = numbers(kTerms * columns, 2);
    std::vector<float> gradient(kRows * columns), apart = numbers(kRows * columns, 3), at_once = apart;
    SumOfRows sums = transposed_product(coefficients.data(), v.data(), gradient.data(), kRows, columns, kTerms);
    set.sum_of_rows(sums);
    set.plain_step(apart.data(), gradient.data(), gradient.size(), step);
    sums.c = at_once.data();
    sums.step = &step;
    set.sum_of_rows(sums);
    EXPECT_EQ(at_once, apart) << columns << " columns";
  }
}

// Rows that end in a register of their own overlap it with the one before: each sum goes on once all the same.
TEST_P(KernelsOfSet, SumOfRowsGoesOnFromWhatIsThere) {
  constexpr std::size_t kRows = 13;
  for (const auto& [columns, terms] : std::vector<std::pair<std::size_t, std::size_t>>{
           {3, 10}, {16, 10}, {37, 10}, {250, 10}, {250, 150}, {37, 1000}}) {  // the last two stay in no near cache
    const std::vector<float> coefficients = numbers(2 * terms * kRows, 1), v = numbers(2 * terms * columns, 2);
    std::vector<float> at_once(kRows * columns), in_parts(kRows * columns, 9.0F);
    SumOfRows sums = transposed_product(coefficients.data(), v.data(), at_once.data(), kRows, columns, 2 * terms);
    set.sum_of_rows(sums);
    sums.c = in_parts.data();
    sums.terms = terms;
    set.sum_of_rows(sums);
    sums.coefficients += terms * kRows;
    sums.v += terms * columns;
    sums.accumulate = true;
    set.sum_of_rows(sums);
    EXPECT_EQ(in_parts, at_once) << columns << " columns";
  }
}

TEST_P(KernelsOfSet, DotsOfRows) {
  for (const std::size_t rows : {1U, 4U, 10U, 13U})
    for (const std::size_t columns : {1U, 10U, 16U})
      for (const std::size_t terms : {3U, 16U, 37U, 200U})
        for (const bool relu : {false, true}) {
          const std::vector<float> left = numbers(rows * terms, 1), right = numbers(columns * terms, 2);
          const std::vector<float> start = numbers(columns, 3);
          std::vector<float> c(rows * columns, 9.0F);
          const Matrix exact =
              exact_product(matrix(left, rows, terms), matrix(right, columns, terms).transpose(), start, relu);
          set.dots_of_rows({left.data(), right.data(), start.data(), c.data(), rows, columns, terms, relu});
          EXPECT_LT(worst(c, exact), 1e-5) << rows << " x " << columns << " x " << terms;
        }
}

INSTANTIATE_TEST_SUITE_P(Machine, KernelsOfSet, testing::ValuesIn(machine_instruction_sets()),
                         [](const auto& of) { return of.param; });

}  // namespace
}  // namespace anybit
