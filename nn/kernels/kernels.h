#pragma once

#include <cstddef>
#include <cstdint>

#include "nn/kernels/winograd.h"

namespace anybit {

/// Where pooling windows lie in `rows` examples, NHWC.
struct PoolWindows {
  std::size_t rows;
  std::size_t in_height, in_width;
  std::size_t out_height, out_width;
  std::size_t channels;
  std::size_t kernel;  // pixels a side, at most 15
  std::size_t stride;
};

/// The weights that a clipped straight-through estimator gives their gradient: low <= (w - offset) * inverse <= high.
struct ClipInterval {
  float offset, inverse;
  float low, high;
};

/// One step of plain gradient descent, w -= rate * (scale * gradient + decay * w).
struct PlainStep {
  float rate;
  float scale = 1.0F;  // of the gradient, by clipping
  float decay = 0.0F;
  bool clipped = false;  // the gradient of a weight outside of the interval counts as zero
  ClipInterval interval = {};
};

/// c[a][n] = start[n] + sum over k < terms of coefficients[k * term_stride + a * row_stride] * v[k * v_stride + n],
/// then max(0, .) if `relu`. c is rows x columns.
struct SumOfRows {
  const float* coefficients;
  std::size_t term_stride, row_stride;
  const float* v;
  std::size_t v_stride;
  const float* start;  // null: 0
  float* c;
  std::size_t c_stride;
  std::size_t rows, columns, terms;
  bool relu = false;
  bool accumulate = false;  // sums start from what c holds; without start
  /// Where set, c is a weight and takes the step along the sums; without start and relu.
  const PlainStep* step = nullptr;
};

/// c[a][b] = start[b] + sum over n < terms of left[a][n] * right[b][n], then max(0, .) if `relu`; all without gaps
/// between rows.
struct DotsOfRows {
  const float* left;
  const float* right;
  const float* start;  // null: 0
  float* c;
  std::size_t rows, columns, terms;
  bool relu;
};

/// Inner loops on the processor's vectors, each compiled once for every instruction set of kernel_set.h. Their sources
/// include nothing that has inline functions of its own: the linker keeps one copy of such a function for the whole
/// program, and it must not be the one with instructions that a machine may lack. Arrays may have any alignment, and
/// overlap only where they are the same.
struct Kernels {
  std::size_t lanes;  // floats in a register

  /// `turns` rounds of kChains independent multiply-adds on registers: turns * kChains * lanes * 2 FLOPs.
  void (*fma_chains)(int turns);
  static constexpr int kChains = 12;  // fills two units of a latency of four cycles, and fits sixteen registers

  /// out = a + b; out may be a or b.
  void (*add)(const float* a, const float* b, float* out, std::size_t size);
  /// out = max(0, a + b).
  void (*add_relu)(const float* a, const float* b, float* out, std::size_t size);
  /// y = x > 0 ? x : 0; y may be x.
  void (*relu)(const float* x, float* y, std::size_t size);
  /// dx = y > 0 ? dy : 0; dx may be dy.
  void (*relu_gradient)(const float* y, const float* dy, float* dx, std::size_t size);
  /// y[i] = scale[i % kPattern] * bytes[i] + shift[i % kPattern], rounded once.
  void (*scale_bytes)(const std::uint8_t* bytes, const float* scale, const float* shift, float* y, std::size_t size);
  static constexpr std::size_t kPattern = 48;  // whole registers, and whole pixels of one, two or three channels

  /// w takes the step along its gradient: the same bits as SumOfRows::step gives.
  void (*plain_step)(float* w, const float* gradient, std::size_t size, const PlainStep& step);
  void (*sum_of_rows)(const SumOfRows& product);
  void (*dots_of_rows)(const DotsOfRows& product);

  /// Maximum of each window and channel. `winner`, where it is wanted, gets the window's pixel that won (the first on a
  /// tie), counted row by row, or kDeadWindow where `dead_at_zero` is set and the maximum is not above zero.
  void (*max_pool)(const PoolWindows& windows, const float* x, float* y, std::uint8_t* winner, bool dead_at_zero);
  /// dx = dy at the pixel that won, else 0. Windows must tile the input or dx must hold zeros, to which it adds.
  void (*max_pool_gradient)(const PoolWindows& windows, const float* dy, const std::uint8_t* winner, float* dx,
                            bool tiles);
  static constexpr std::uint8_t kDeadWindow = 255;

  WinogradKernels winograd;
};

/// The loops for the instruction set in use.
const Kernels& kernels();
/// Those of a set by its name, see kernel_set.h; the machine must have it.
const Kernels& kernels_of(const char* instruction_set);

}  // namespace anybit
