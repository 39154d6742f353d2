#pragma once

#include <cstddef>

namespace anybit {

/// Tiles of 4 x 4 output pixels of a 3 x 3 convolution with stride 1, counted row by row over all examples. A tile's
/// input is 6 x 6 pixels, its transform 36 numbers a channel; the transforms of some tiles are 36 matrices, planes of
/// (end - begin) x channels.
struct WinogradTiles {
  static constexpr std::size_t kOutput = 4;  // pixels a side
  static constexpr std::size_t kInput = 6;
  static constexpr std::size_t kPlanes = 36;

  std::size_t in_height, in_width;
  std::size_t out_height, out_width;
  std::size_t padding;
  std::size_t high, wide;  // tiles of one example, those that reach over the output's edges included
  std::size_t begin, end;  // the tiles of this call
};

/// The 3 x 3 weights of rows x columns filters: those of (r, c) are nine floats from r * row_stride + c * column_stride
/// on. The transforms are 36 matrices of rows x columns.
struct WinogradFilters {
  std::size_t rows, columns;  // columns: whole registers
  std::size_t row_stride, column_stride;
};

/// Minimal filtering F(4 x 4, 3 x 3) (Lavin, Gray 2016, arXiv:1509.09308, section 4.3): a tile's output is
/// A' (G w G' * B' x B) A, the product element by element and summed over input channels, so a convolution is 36 matrix
/// products with a quarter of the multiplications. The gradients are the adjoint of each factor. `channels` are whole
/// registers, `plane` is the distance between two planes in floats.
struct WinogradKernels {
  /// v = B' x B.
  void (*input)(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* x, float* v);
  /// y = A' m A + bias (null: none), then max(0, .) if `relu`.
  void (*output)(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* m, const float* bias,
                 bool relu, float* y);
  /// dm = A dy A'.
  void (*output_gradient)(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* dy,
                          float* dm);
  /// dx += B dv B'.
  void (*input_gradient)(const WinogradTiles& tiles, std::size_t channels, std::size_t plane, const float* dv,
                         float* dx);
  /// u = G w G'.
  void (*filters)(const WinogradFilters& filters, const float* w, float* u);
  /// dw = G' du G.
  void (*filters_gradient)(const WinogradFilters& filters, const float* du, float* dw);
};

}  // namespace anybit
